/* Pq(codes, codebooks, bias=None, *, dims, level=None): the Python type of layout pq. */
#include "object.h"
#include "pq.h"
#include "types.h"

/* Codebooks of fewer pieces than a byte can name: every code must name one. */
static int check_codes(const struct pq_table *table)
{
    uint8_t most = 0;
    for (int64_t i = 0; i < table->base.rows * table->count; i++)
        most = table->codes[i] > most ? table->codes[i] : most;
    if (most < table->pieces || table->base.rows == 0)
        return 0;
    PyErr_Format(PyExc_ValueError, "the codes go up to %d; the codebooks have %lld pieces", most, (long long)table->pieces);
    return -1;
}

static int hold_codebooks(struct object *object, PyObject *array, struct pq_table *table)
{
    const struct wish wish = {"codebooks", "ef", "float16 or float32", 0, 3, {table->count, -1, -1}};
    const Py_buffer *view = object_hold(object, array, &wish);
    if (!view)
        return -1;
    table->pieces = view->shape[1];
    table->width = view->shape[2];
    if (table->pieces < 1 || table->pieces > 256 || table->width < 1 || table->width > PQ_MOST_DIMS ||
        table->base.dims > table->count * table->width || table->base.dims <= (table->count - 1) * table->width) {
        PyErr_Format(PyExc_ValueError, "codebooks are %lld x %lld x %lld; expected at most 256 pieces, and pieces of %lld values to end in "
                     "the last", (long long)table->count, (long long)table->pieces, (long long)table->width, (long long)table->base.dims);
        return -1;
    }
    table->codebooks.number = buffer_format(view) == 'e' ? HALF : SINGLE;
    table->codebooks.values = view->buf;
    if (column_measure(&table->codebooks, table->count * table->pieces * table->width))
        return 0;
    PyErr_SetString(PyExc_ValueError, "codebooks holds NaN or infinite values; every one must be finite");
    return -1;
}

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"codes", "codebooks", "bias", "dims", "level", 0};
    PyObject *codes, *codebooks, *bias = Py_None, *level = Py_None;
    long long dims = 0; /* which is refused */
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|O$LO:Pq", names, &codes, &codebooks, &bias, &dims, &level))
        return 0;
    struct object *object = object_new(type, &pq_layout, sizeof(struct pq_table), level);
    if (!object)
        return 0;
    struct pq_table *table = (struct pq_table *)object->table;
    const struct wish wish = {"codes", "B", "uint8", 0, 2, {-1, -1}};
    const Py_buffer *view = object_hold(object, codes, &wish);
    if (!view || object_take_size(object, view, dims, PQ_MOST_DIMS) != 0)
        goto refused;
    table->codes = view->buf;
    table->count = view->shape[1];
    if (table->count < 1 || table->count > dims) {
        PyErr_Format(PyExc_ValueError, "there are %lld codes a row; expected 1 to %lld", (long long)table->count, dims);
        goto refused;
    }
    if (hold_codebooks(object, codebooks, table) != 0 || check_codes(table) != 0 ||
        object_hold_column(object, bias, "bias", &table->bias) != 0)
        goto refused;
    return (PyObject *)object;
refused:
    Py_DECREF(object);
    return 0;
}

static PyMethodDef methods[] = {OBJECT_METHOD(top_k), OBJECT_METHOD(gather), {0}};

static PyType_Slot slots[] = {OBJECT_SLOTS(
    "codes [rows, m] of uint8, codebooks [m, k, w] of float16 or float32 with k <= 256, an optional bias [rows]",
    create, methods)};

PyType_Spec pq_type = {"edge_rec_runtime._kernels.Pq", sizeof(struct object), 0, Py_TPFLAGS_DEFAULT, slots};
