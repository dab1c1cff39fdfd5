/* Signs(bits, scales=None, bias=None, *, width, level=None): the Python type of layout binary, its projection left to the caller. */
#include "object.h"
#include "signs.h"
#include "types.h"

static int below_zero(const struct column *column, int64_t rows)
{
    int found = 0;
    for (int64_t row = 0; row < rows; row++)
        found |= column_at(column, row) < 0.0f;
    return found;
}

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"bits", "scales", "bias", "width", "level", 0};
    PyObject *bits, *scales = Py_None, *bias = Py_None, *level = Py_None;
    long long width = 0; /* which is refused */
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|OO$LO:Signs", names, &bits, &scales, &bias, &width, &level))
        return 0;
    struct object *object = object_new(type, &signs_layout, sizeof(struct signs_table), level);
    if (!object)
        return 0;
    struct signs_table *table = (struct signs_table *)object->table;
    const struct wish wish = {"bits", "B", "uint8", 0, 2, {-1, width < 1 ? -1 : width / 8 + (width % 8 != 0)}};
    const Py_buffer *view = object_hold(object, bits, &wish);
    if (!view || object_check_size(view->shape[0], width, SIGNS_MOST_DIMS) != 0)
        goto refused;
    table->bits = view->buf;
    table->base.rows = view->shape[0];
    table->base.dims = width;
    table->base.row_bytes = (size_t)view->shape[1];
    if (object_hold_column(object, scales, "scales", &table->scales) != 0 || object_hold_column(object, bias, "bias", &table->bias) != 0)
        goto refused;
    table->falling = below_zero(&table->scales, table->base.rows);
    return (PyObject *)object;
refused:
    Py_DECREF(object);
    return 0;
}

static PyMethodDef methods[] = {
    {"top_k", (PyCFunction)(void (*)(void))object_top_k, METH_FASTCALL, object_top_k_doc},
    {"rescored", (PyCFunction)(void (*)(void))object_rescored, METH_FASTCALL, object_rescored_doc},
    {"gather", (PyCFunction)(void (*)(void))object_gather, METH_FASTCALL, object_gather_doc},
    {0},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "bits [rows, ceil(width / 8)] of uint8, optional scales [rows] and bias [rows]"},
    {Py_tp_new, create},
    {Py_tp_dealloc, object_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, object_attributes},
    {0},
};

PyType_Spec signs_type = {"edge_rec_runtime._kernels.Signs", sizeof(struct object), 0, Py_TPFLAGS_DEFAULT, slots};
