/* What the methods of all objects do with a call: hold its arrays, turn its filter into bits, say what came of it. */
#ifndef EDGE_REC_CALL_H
#define EDGE_REC_CALL_H

#include "buffers.h"
#include "search.h"

/* The arrays of one call. */
struct call {
    Py_buffer views[6];
    int count;
};

/* Hold one more array until the call is over; its view, or NULL and an exception. */
const Py_buffer *call_take(struct call *call, PyObject *array, const struct wish *wish);

/* `allowed` as the caller has it: bool [rows], or its bits as uint8 [(rows + 7) / 8], lowest bit first, or None.
 * -1 and an exception, or a bitmap to free, NULL for None. */
int call_take_allowed(struct call *call, PyObject *array, int64_t rows, uint8_t **bitmap);

void call_release(struct call *call);

/* How many were found, or the exception. */
PyObject *call_answer(enum searched state, int64_t found);

#endif
