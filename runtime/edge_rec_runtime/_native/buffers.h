/* Arrays from Python, by the buffer protocol, and everything that can be wrong with one. */
#ifndef EDGE_REC_BUFFERS_H
#define EDGE_REC_BUFFERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdint.h>

/* What an array must be. */
struct wish {
    const char *name;    /* for the message */
    const char *formats; /* characters of the struct module that will do: "b", "ef", ... 'q' stands for any int64 */
    const char *dtypes;  /* the same in words, for the message */
    int writable;
    int axes;            /* 1 to 3 */
    int64_t shape[3];    /* -1: any length */
};

/* Fill `view` with an array that is as wished, row-major, aligned and without gaps, or raise TypeError or ValueError and return -1. */
int buffer_take(PyObject *array, const struct wish *wish, Py_buffer *view);

/* The character of its format, without a mark of byte order; 'q' for any int64. */
char buffer_format(const Py_buffer *view);

#endif
