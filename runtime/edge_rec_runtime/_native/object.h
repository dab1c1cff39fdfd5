/* The Python object around a table. It holds the arrays it was made of, so that nothing is checked again in a call, and so that
 * the file they are mapped from cannot be unmapped beneath it. */
#ifndef EDGE_REC_OBJECT_H
#define EDGE_REC_OBJECT_H

#include "buffers.h"
#include "table.h"

enum { MOST_ARRAYS = 8 };

struct object {
    PyObject_HEAD
    struct table *table; /* of the layout's own struct */
    Py_buffer arrays[MOST_ARRAYS];
    int count;
    PyObject *of; /* another object that its table refers to, or NULL */
};

/* A new object of a type, with `size` bytes of 0 for its table, which begins with struct table; or NULL and an exception.
 * `level` is a name or None for the highest level of this CPU. */
struct object *object_new(PyTypeObject *type, const struct layout *layout, size_t size, PyObject *level);

/* Hold one more array; its view, or NULL and an exception. */
const Py_buffer *object_hold(struct object *object, PyObject *array, const struct wish *wish);

/* Tell the table how many rows an array has, how many bytes a row, and how many values a query. Refused: more rows than a key has
 * room for, or more than `most` values; -1 and an exception then. */
int object_take_size(struct object *object, const Py_buffer *rows, int64_t dims, int64_t most);

/* Hold an optional column of float16 or float32, one a row; -1 and an exception if it is none. */
struct column;
int object_hold_column(struct object *object, PyObject *array, const char *name, struct column *column);

/* The same for a layout that cannot do without scales. */
int object_hold_scales(struct object *object, PyObject *array, struct column *column);

void object_dealloc(PyObject *self);

/* top_k(query, k, rows, scores, allowed=None, threads=1) -> found */
PyObject *object_top_k(PyObject *self, PyObject *const *arguments, Py_ssize_t count);
extern const char object_top_k_doc[];

/* scores(query, out); for layouts with score_rows */
PyObject *object_scores(PyObject *self, PyObject *const *arguments, Py_ssize_t count);
extern const char object_scores_doc[];

/* gather(rows, out); for layouts with gather */
PyObject *object_gather(PyObject *self, PyObject *const *arguments, Py_ssize_t count);
extern const char object_gather_doc[];

/* rescored(exact, query, exact_query, candidates, k, rows, scores, allowed=None, threads=1) -> found */
PyObject *object_rescored(PyObject *self, PyObject *const *arguments, Py_ssize_t count);
extern const char object_rescored_doc[];

/* rows, dims, level */
extern PyGetSetDef object_attributes[];

/* What a type is written with: one of the methods above, and the slots of a type that adds nothing but its constructor. */
#define OBJECT_METHOD(name) {#name, (PyCFunction)(void (*)(void))object_##name, METH_FASTCALL, object_##name##_doc}
#define OBJECT_SLOTS(doc, create, methods)                                                                                       \
    {Py_tp_doc, doc}, {Py_tp_new, create}, {Py_tp_dealloc, object_dealloc}, {Py_tp_methods, methods},                            \
        {Py_tp_getset, object_attributes}, {0}

#endif
