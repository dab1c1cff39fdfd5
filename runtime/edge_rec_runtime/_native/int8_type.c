/* Int8(codes, scales, bias=None, level=None): the Python type of layout int8. */
#include "int8.h"
#include "object.h"
#include "types.h"

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"codes", "scales", "bias", "level", 0};
    PyObject *codes, *scales, *bias = Py_None, *level = Py_None;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|OO:Int8", names, &codes, &scales, &bias, &level))
        return 0;
    struct object *object = object_new(type, &int8_layout, sizeof(struct int8_table), level);
    if (!object)
        return 0;
    struct int8_table *table = (struct int8_table *)object->table;
    const struct wish wish = {"codes", "b", "int8", 0, 2, {-1, -1}};
    const Py_buffer *view = object_hold(object, codes, &wish);
    if (!view || object_take_size(object, view, view->shape[1], INT8_MOST_DIMS) != 0)
        goto refused;
    table->codes = view->buf;
    if (object_hold_scales(object, scales, &table->scales) != 0 || object_hold_column(object, bias, "bias", &table->bias) != 0)
        goto refused;
    return (PyObject *)object;
refused:
    Py_DECREF(object);
    return 0;
}

static PyMethodDef methods[] = {OBJECT_METHOD(top_k), OBJECT_METHOD(gather), {0}};

static PyType_Slot slots[] = {OBJECT_SLOTS(
    "int8 codes [rows, dims], scales [rows] of float16 or float32, an optional bias [rows]",
    create, methods)};

PyType_Spec int8_type = {"edge_rec_runtime._kernels.Int8", sizeof(struct object), 0, Py_TPFLAGS_DEFAULT, slots};
