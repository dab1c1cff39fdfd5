/* Making, asking and dropping the objects of object.h. */
#include "object.h"

#include "call.h"
#include "column.h"
#include "search.h"

#include <stdlib.h>

static int level_of(PyObject *name)
{
    if (name == Py_None)
        return (int)cpu_level();
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8AndSize(name, 0) : 0;
    int level = text ? cpu_level_named(text) : -1;
    if (level >= 0 && level <= (int)cpu_level())
        return level;
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "level is %R; this CPU runs levels up to %s", name, cpu_level_name(cpu_level()));
    return -1;
}

struct object *object_new(PyTypeObject *type, const struct layout *layout, size_t size, PyObject *level)
{
    int found = level_of(level);
    if (found < 0)
        return 0;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    struct object *object = (struct object *)allocate(type, 0);
    if (!object)
        return 0;
    object->table = calloc(1, size);
    if (!object->table) {
        Py_DECREF(object);
        PyErr_NoMemory();
        return 0;
    }
    object->table->layout = layout;
    object->table->level = (enum level)found;
    return object;
}

const Py_buffer *object_hold(struct object *object, PyObject *array, const struct wish *wish)
{
    Py_buffer *view = &object->arrays[object->count];
    if (buffer_take(array, wish, view) != 0)
        return 0;
    object->count++;
    return view;
}

int object_hold_column(struct object *object, PyObject *array, const char *name, struct column *column)
{
    column->number = NONE;
    if (array == Py_None)
        return 0;
    const struct wish wish = {name, "ef", "float16 or float32", 0, 1, {object->table->rows}};
    const Py_buffer *view = object_hold(object, array, &wish);
    if (!view)
        return -1;
    column->number = buffer_format(view) == 'e' ? HALF : SINGLE;
    column->values = view->buf;
    if (column_measure(column, object->table->rows))
        return 0;
    PyErr_Format(PyExc_ValueError, "%s holds NaN or infinite values; every one must be finite", name);
    return -1;
}

int object_hold_scales(struct object *object, PyObject *array, struct column *column)
{
    if (array != Py_None)
        return object_hold_column(object, array, "scales", column);
    PyErr_SetString(PyExc_TypeError, "scales is None; expected float16 or float32, one a row");
    return -1;
}

int object_take_size(struct object *object, const Py_buffer *rows, int64_t dims, int64_t most)
{
    struct table *table = object->table;
    table->rows = rows->shape[0];
    table->row_bytes = (size_t)(rows->shape[1] * rows->itemsize);
    table->dims = dims;
    if (table->rows <= INT32_MAX && dims >= 1 && dims <= most)
        return 0;
    PyErr_Format(PyExc_ValueError, "the table is %lld x %lld; expected at most 2147483647 rows of 1 to %lld values",
                 (long long)table->rows, (long long)dims, (long long)most);
    return -1;
}

void object_dealloc(PyObject *self)
{
    struct object *object = (struct object *)self;
    PyTypeObject *type = Py_TYPE(self);
    while (object->count > 0)
        PyBuffer_Release(&object->arrays[--object->count]);
    free(object->table);
    Py_XDECREF(object->of);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

/* The query's axes tell one from a batch; rows and scores must have as many. */
static int take_arrays(struct call *call, PyObject *const *arguments, int64_t dims, struct search *search)
{
    struct wish query = {"the query", "f", "float32", 0, 1, {dims}};
    Py_buffer *first = &call->views[0];
    if (PyObject_GetBuffer(arguments[0], first, PyBUF_FORMAT | PyBUF_ND | PyBUF_C_CONTIGUOUS) != 0) {
        PyErr_Clear(); /* take() below says it better */
        first->ndim = 1;
    } else {
        if (first->ndim == 2)
            query = (struct wish){"the query", "f", "float32", 0, 2, {-1, dims}};
        PyBuffer_Release(first);
    }
    const Py_buffer *queries = call_take(call, arguments[0], &query);
    if (!queries)
        return -1;
    search->queries = queries->buf;
    search->batch = query.axes == 2 ? queries->shape[0] : 1;
    const int axes = query.axes;
    const struct wish rows = {"rows", "q", "int64", 1, axes, {axes == 2 ? search->batch : search->k, search->k}};
    const struct wish scores = {"scores", "f", "float32", 1, axes, {axes == 2 ? search->batch : search->k, search->k}};
    const Py_buffer *rows_view = call_take(call, arguments[2], &rows);
    const Py_buffer *scores_view = rows_view ? call_take(call, arguments[3], &scores) : 0;
    if (!scores_view)
        return -1;
    search->rows = rows_view->buf;
    search->scores = scores_view->buf;
    return 0;
}

const char object_top_k_doc[] =
    "top_k(query, k, rows, scores, allowed=None, threads=1) -> found\n\n"
    "query: float32 [dims], or [batch, dims]; rows: int64 [k] or [batch, k], scores: float32 of the same shape, both written;\n"
    "allowed: bool [rows], or its bits as uint8 [(rows + 7) / 8]. Of each query's k places the first `found` are filled, best\n"
    "first, equal scores in row order. ValueError: the query is not finite; OverflowError: scores may leave float32.";

PyObject *object_top_k(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const struct table *table = ((struct object *)self)->table;
    if (count < 4 || count > 6) {
        PyErr_Format(PyExc_TypeError, "top_k takes 4 to 6 arguments, got %zd", count);
        return 0;
    }
    struct search search = {.k = PyLong_AsLongLong(arguments[1])};
    long threads = count > 5 ? PyLong_AsLong(arguments[5]) : 1;
    if (PyErr_Occurred())
        return 0;
    if (search.k < 1 || search.k > INT32_MAX || threads < 1 || threads > 64) {
        PyErr_Format(PyExc_ValueError, "k is %lld and threads %ld; expected k of at least 1, and 1 to 64 threads", (long long)search.k,
                     threads);
        return 0;
    }
    search.threads = (int)threads;
    struct call call = {.count = 0};
    uint8_t *bitmap = 0;
    PyObject *found = 0;
    if (take_arrays(&call, arguments, table->dims, &search) == 0 &&
        call_take_allowed(&call, count > 4 ? arguments[4] : Py_None, table->rows, &bitmap) == 0) {
        search.allowed = bitmap;
        enum searched state;
        Py_BEGIN_ALLOW_THREADS
        state = search_table(table, &search);
        Py_END_ALLOW_THREADS
        found = call_answer(state, search.found);
    }
    free(bitmap);
    call_release(&call);
    return found;
}

static PyObject *get_rows(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLongLong(((struct object *)self)->table->rows);
}

static PyObject *get_dims(PyObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromLongLong(((struct object *)self)->table->dims);
}

static PyObject *get_level(PyObject *self, void *Py_UNUSED(closure))
{
    return PyUnicode_FromString(cpu_level_name(((struct object *)self)->table->level));
}

PyGetSetDef object_attributes[] = {
    {"rows", get_rows, 0, "number of rows", 0},
    {"dims", get_dims, 0, "width of a query", 0},
    {"level", get_level, 0, "the instructions it uses", 0},
    {0},
};
