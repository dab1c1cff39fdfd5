/* rescored(exact, query, exact_query, candidates, k, rows, scores, allowed=None, threads=1): two tables asked in one call. */
#include "call.h"
#include "object.h"
#include "rescore.h"

#include <stdlib.h>

const char object_rescored_doc[] =
    "rescored(exact, query, exact_query, candidates, k, rows, scores, allowed=None, threads=1) -> found\n\n"
    "The k best by the scores of another table of the same rows, `exact`, among the `candidates` best rows of this one.\n"
    "query: float32 [dims]; exact_query: float32 [dims of exact]; rows: int64 [k] and scores: float32 [k] are written.";

/* The other table, if it is one, of as many rows, and can score single rows; its type is known by its methods. */
static const struct table *exact_of(PyObject *self, PyObject *other)
{
    PyTypeObject *type = Py_TYPE(other);
    if (PyType_GetSlot(type, Py_tp_dealloc) != (void *)object_dealloc) {
        PyErr_Format(PyExc_TypeError, "exact is %R; expected a table of this module", type);
        return 0;
    }
    const struct table *table = ((struct object *)self)->table, *exact = ((struct object *)other)->table;
    if (!exact->layout->score_rows) {
        PyErr_Format(PyExc_TypeError, "exact is %R, whose layout does not score single rows", type);
        return 0;
    }
    if (exact->rows != table->rows) {
        PyErr_Format(PyExc_ValueError, "exact has %lld rows; expected %lld, those of this table", (long long)exact->rows,
                     (long long)table->rows);
        return 0;
    }
    return exact;
}

PyObject *object_rescored(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const struct table *table = ((struct object *)self)->table;
    if (count < 7 || count > 9) {
        PyErr_Format(PyExc_TypeError, "rescored takes 7 to 9 arguments, got %zd", count);
        return 0;
    }
    const struct table *exact = exact_of(self, arguments[0]);
    if (!exact)
        return 0;
    struct search search = {.batch = 1, .k = PyLong_AsLongLong(arguments[4])};
    int64_t candidates = PyErr_Occurred() ? 0 : PyLong_AsLongLong(arguments[3]);
    long threads = count > 8 && !PyErr_Occurred() ? PyLong_AsLong(arguments[8]) : 1;
    if (PyErr_Occurred())
        return 0;
    if (search.k < 1 || candidates < search.k || candidates > INT32_MAX || threads < 1 || threads > 64) {
        PyErr_Format(PyExc_ValueError, "k is %lld of %lld candidates and threads %ld; expected k of at least 1, as many candidates or more, "
                     "and 1 to 64 threads", (long long)search.k, (long long)candidates, threads);
        return 0;
    }
    search.threads = (int)threads;
    const struct wish query = {"the query", "f", "float32", 0, 1, {table->dims}};
    const struct wish exact_query = {"the exact query", "f", "float32", 0, 1, {exact->dims}};
    const struct wish rows = {"rows", "q", "int64", 1, 1, {search.k}}, scores = {"scores", "f", "float32", 1, 1, {search.k}};
    struct call call = {.count = 0};
    uint8_t *bitmap = 0;
    PyObject *found = 0;
    if (call_take(&call, arguments[1], &query) && call_take(&call, arguments[2], &exact_query) &&
        call_take(&call, arguments[5], &rows) && call_take(&call, arguments[6], &scores) &&
        call_take_allowed(&call, count > 7 ? arguments[7] : Py_None, table->rows, &bitmap) == 0) {
        search.queries = call.views[0].buf;
        search.rows = call.views[2].buf;
        search.scores = call.views[3].buf;
        search.allowed = bitmap;
        enum searched state;
        Py_BEGIN_ALLOW_THREADS
        state = search_rescored(table, exact, &search, call.views[1].buf, candidates);
        Py_END_ALLOW_THREADS
        found = call_answer(state, search.found);
    }
    free(bitmap);
    call_release(&call);
    return found;
}
