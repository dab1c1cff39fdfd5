/* scores(query, out): the score of every row, the same bits that a search returns. */
#include "object.h"

#include <stdlib.h>

enum { AT_ONCE = 256, LINE = 64 };

const char object_scores_doc[] = "scores(query, out): write the score of every row to out, float32 [rows]; they may be infinite or NaN.";

static enum prepared score_all(const struct table *table, const float *query, float *out, void *prepared)
{
    enum prepared state = table->layout->prepare(table, query, prepared);
    if (state != PREPARED)
        return state;
    for (int64_t start = 0; start < table->rows; start += AT_ONCE) {
        int64_t rows[AT_ONCE], count = table->rows - start < AT_ONCE ? table->rows - start : AT_ONCE;
        for (int64_t i = 0; i < count; i++)
            rows[i] = start + i;
        table->layout->score_rows(table, prepared, rows, count, out + start);
    }
    return PREPARED;
}

static PyObject *answer(enum prepared state)
{
    if (state == NOT_FINITE)
        PyErr_SetString(PyExc_ValueError, "the query holds NaN or infinite values");
    else if (state == TOO_LARGE)
        PyErr_SetString(PyExc_OverflowError, "scores of this query and table may leave float32");
    return state == PREPARED ? Py_NewRef(Py_None) : 0;
}

PyObject *object_scores(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const struct table *table = ((struct object *)self)->table;
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "scores takes 2 arguments, got %zd", count);
        return 0;
    }
    const struct wish queries = {"the query", "f", "float32", 0, 1, {table->dims}}, scores = {"out", "f", "float32", 1, 1, {table->rows}};
    Py_buffer query, out;
    if (buffer_take(arguments[0], &queries, &query) != 0)
        return 0;
    if (buffer_take(arguments[1], &scores, &out) != 0) {
        PyBuffer_Release(&query);
        return 0;
    }
    char *block = malloc(table->layout->query_bytes(table) + LINE);
    PyObject *found;
    if (block) {
        enum prepared state;
        Py_BEGIN_ALLOW_THREADS
        state = score_all(table, query.buf, out.buf, block + (LINE - (uintptr_t)block % LINE) % LINE);
        Py_END_ALLOW_THREADS
        found = answer(state);
    } else {
        found = PyErr_NoMemory();
    }
    free(block);
    PyBuffer_Release(&out);
    PyBuffer_Release(&query);
    return found;
}
