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
    if (!view || object_take_size(object, view, view->shape[1], FP32_MOST_DIMS) != 0)
        goto refused;
    table->values = view->buf;
    table->half = half;
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

static PyMethodDef methods[] = {OBJECT_METHOD(top_k), OBJECT_METHOD(gather), OBJECT_METHOD(scores), {0}};

static PyType_Slot fp32_slots[] = {OBJECT_SLOTS(
    "float32 values [rows, dims], an optional bias [rows] of float16 or float32",
    create_fp32, methods)};

static PyType_Slot fp16_slots[] = {OBJECT_SLOTS(
    "float16 values [rows, dims], an optional bias [rows] of float16 or float32",
    create_fp16, methods)};

PyType_Spec fp32_type = {"edge_rec_runtime._kernels.Fp32", sizeof(struct object), 0, Py_TPFLAGS_DEFAULT, fp32_slots};
PyType_Spec fp16_type = {"edge_rec_runtime._kernels.Fp16", sizeof(struct object), 0, Py_TPFLAGS_DEFAULT, fp16_slots};
