/* Int4(codes, scales, bias=None, *, dims, level=None): the Python type of layout int4. */
#include "int4.h"
#include "object.h"
#include "types.h"

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"codes", "scales", "bias", "dims", "level", 0};
    PyObject *codes, *scales, *bias = Py_None, *level = Py_None;
    long long dims = 0; /* which is refused */
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|O$LO:Int4", names, &codes, &scales, &bias, &dims, &level))
        return 0;
    struct object *object = object_new(type, &int4_layout, sizeof(struct int4_table), level);
    if (!object)
        return 0;
    struct int4_table *table = (struct int4_table *)object->table;
    const struct wish wish = {"codes", "B", "uint8", 0, 2, {-1, dims < 1 ? -1 : dims / 2 + dims % 2}};
    const Py_buffer *view = object_hold(object, codes, &wish);
    if (!view || object_take_size(object, view, dims, INT4_MOST_DIMS) != 0)
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
    "codes [rows, ceil(dims / 2)] of uint8, scales [rows] of float16 or float32, an optional bias [rows]",
    create, methods)};

PyType_Spec int4_type = {"edge_rec_runtime._kernels.Int4", sizeof(struct object), 0, Py_TPFLAGS_DEFAULT, slots};
