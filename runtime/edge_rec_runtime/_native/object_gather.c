/* gather(rows, out): the vectors of given rows, decoded to float32. */
#include "call.h"
#include "object.h"

const char object_gather_doc[] = "gather(rows, out): write the vectors of rows, int64 [n], to out, float32 [n, width].";

PyObject *object_gather(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const struct table *table = ((struct object *)self)->table;
    if (count != 2) {
        PyErr_Format(PyExc_TypeError, "gather takes 2 arguments, got %zd", count);
        return 0;
    }
    struct wish rows = {"rows", "q", "int64", 0, 1, {-1}}, out = {"out", "f", "float32", 1, 2, {-1, table->dims}};
    struct call call = {.count = 0};
    const Py_buffer *wanted = call_take(&call, arguments[0], &rows);
    out.shape[0] = wanted ? wanted->shape[0] : 0;
    if (!wanted || !call_take(&call, arguments[1], &out)) {
        call_release(&call);
        return 0;
    }
    const int64_t *row = call.views[0].buf;
    int64_t n = out.shape[0], outside = -1;
    for (int64_t i = 0; i < n; i++)
        if (row[i] < 0 || row[i] >= table->rows)
            outside = i;
    if (outside >= 0) {
        PyErr_Format(PyExc_IndexError, "row %lld is outside a table of %lld rows", (long long)row[outside], (long long)table->rows);
    } else {
        Py_BEGIN_ALLOW_THREADS
        table->layout->gather(table, row, n, call.views[1].buf);
        Py_END_ALLOW_THREADS
    }
    call_release(&call);
    return outside >= 0 ? 0 : Py_NewRef(Py_None);
}
