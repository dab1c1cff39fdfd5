/* Hamming(bits, *, width, level=None): the bits of layout binary, asked for the nearest signs. */
#include "hamming.h"
#include "object.h"
#include "types.h"

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"bits", "width", "level", 0};
    PyObject *bits, *level = Py_None;
    long long width = 0; /* which is refused */
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|$LO:Hamming", names, &bits, &width, &level))
        return 0;
    struct object *object = object_new(type, &hamming_layout, sizeof(struct hamming_table), level);
    if (!object)
        return 0;
    struct hamming_table *table = (struct hamming_table *)object->table;
    const struct wish wish = {"bits", "B", "uint8", 0, 2, {-1, width < 1 ? -1 : width / 8 + (width % 8 != 0)}};
    const Py_buffer *view = object_hold(object, bits, &wish);
    if (!view || object_take_size(object, view, width, HAMMING_MOST_DIMS) != 0) {
        Py_DECREF(object);
        return 0;
    }
    table->bits = view->buf;
    return (PyObject *)object;
}

static PyMethodDef methods[] = {OBJECT_METHOD(top_k), OBJECT_METHOD(rescored), {0}};

static PyType_Slot slots[] = {OBJECT_SLOTS(
    "bits [rows, ceil(width / 8)] of uint8, compared with the signs of a query",
    create, methods)};

PyType_Spec hamming_type = {"edge_rec_runtime._kernels.Hamming", sizeof(struct object), 0, Py_TPFLAGS_DEFAULT, slots};
