/* Fp32(values, bias=None, level=None) and Fp16(...): the Python types of layouts fp32 and fp16. */
#include "fp32.h"
#include "object.h"
#include "types.h"

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *keywords, const struct wish *wish, int half)
{
    static char *names[] = {"values", "bias", "level", 0};
    PyObject *values, *bias = Py_None, *level = Py_None;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|OO", names, &values, &bias, &level))
        return 0;
    struct object *object = object_new(type, &fp32_layout, sizeof(struct fp32_table), level);
    if (!object)
        return 0;
    struct fp32_table *table = (struct fp32_table *)object->table;
    const Py_buffer *view = object_hold(object, values, wish);
    if (!view || object_check_size(view->shape[0], view->shape[1], FP32_MOST_DIMS) != 0)
        goto refused;
    table->values = view->buf;
    table->half = half;
    table->base.rows = view->shape[0];
    table->base.dims = view->shape[1];
    table->base.row_bytes = (size_t)view->shape[1] * (half ? 2 : 4);
    if (object_hold_column(object, bias, "bias", &table->bias) != 0)
        goto refused;
    return (PyObject *)object;
refused:
    Py_DECREF(object);
    return 0;
}

static PyObject *create_fp32(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    const struct wish wish = {"values", "f", "float32", 0, 2, {-1, -1}};
    return create(type, arguments, keywords, &wish, 0);
}

static PyObject *create_fp16(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    const struct wish wish = {"values", "e", "float16", 0, 2, {-1, -1}};
    return create(type, arguments, keywords, &wish, 1);
}

static PyMethodDef methods[] = {
    {"top_k", (PyCFunction)(void (*)(void))object_top_k, METH_FASTCALL, object_top_k_doc},
    {"gather", (PyCFunction)(void (*)(void))object_gather, METH_FASTCALL, object_gather_doc},
    {"scores", (PyCFunction)(void (*)(void))object_scores, METH_FASTCALL, object_scores_doc},
    {0},
};

static PyType_Slot fp32_slots[] = {
    {Py_tp_doc, "float32 values [rows, dims], an optional bias [rows] of float16 or float32"},
    {Py_tp_new, create_fp32},
    {Py_tp_dealloc, object_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, object_attributes},
    {0},
};

static PyType_Slot fp16_slots[] = {
    {Py_tp_doc, "float16 values [rows, dims], an optional bias [rows] of float16 or float32"},
    {Py_tp_new, create_fp16},
    {Py_tp_dealloc, object_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, object_attributes},
    {0},
};

PyType_Spec fp32_type = {"edge_rec_runtime._kernels.Fp32", sizeof(struct object), 0, Py_TPFLAGS_DEFAULT, fp32_slots};
PyType_Spec fp16_type = {"edge_rec_runtime._kernels.Fp16", sizeof(struct object), 0, Py_TPFLAGS_DEFAULT, fp16_slots};
