/* Signs(bits, scales=None, bias=None, *, width, level=None): the Python type of layout binary, its projection left to the caller. */
#include "object.h"
#include "signs.h"
#include "types.h"

#include <stdlib.h>

static int below_zero(const struct column *column, int64_t rows)
{
    int found = 0;
    if (column->number == HALF) {
        const uint16_t *values = column->values;
        for (int64_t row = 0; row < rows; row++)
            found |= values[row] > 0x8000; /* which is -0 */
        return found;
    }
    for (int64_t row = 0; row < rows; row++)
        found |= column_at(column, row) < 0.0f;
    return found;
}

#if defined(EDGE_REC_X86)
/* Make them behind the table, which moves. */
static int hold_shares(struct object *object, struct signs_table *table)
{
    const size_t bytes = signs_shares_bytes_avx512(table);
    table = realloc(table, sizeof *table + bytes);
    if (!table) {
        PyErr_NoMemory();
        return 0;
    }
    object->table = &table->base;
    signs_make_shares_avx512(table, table + 1);
    return 1;
}
#endif

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
    if (!view || object_take_size(object, view, width, SIGNS_MOST_DIMS) != 0)
        goto refused;
    table->bits = view->buf;
    if (object_hold_column(object, scales, "scales", &table->scales) != 0 || object_hold_column(object, bias, "bias", &table->bias) != 0)
        goto refused;
    table->falling = below_zero(&table->scales, table->base.rows);
#if defined(EDGE_REC_X86)
    if (table->base.level == LEVEL_AVX512 && !hold_shares(object, table))
        goto refused;
#endif
    return (PyObject *)object;
refused:
    Py_DECREF(object);
    return 0;
}

static PyMethodDef methods[] = {OBJECT_METHOD(top_k), OBJECT_METHOD(rescored), OBJECT_METHOD(gather), {0}};

static PyType_Slot slots[] = {OBJECT_SLOTS(
    "bits [rows, ceil(width / 8)] of uint8, optional scales [rows] and bias [rows]",
    create, methods)};

PyType_Spec signs_type = {"edge_rec_runtime._kernels.Signs", sizeof(struct object), 0, Py_TPFLAGS_DEFAULT, slots};
