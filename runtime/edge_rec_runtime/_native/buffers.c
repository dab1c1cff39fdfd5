/* The only door for arrays: whatever passes here needs no further check. */
#include "buffers.h"

#include <string.h>

char buffer_format(const Py_buffer *view)
{
    const char *format = view->format ? view->format : "B";
    if (*format == '<' || *format == '=' || *format == '@')
        format++;
    if (format[0] == 0 || format[1] != 0)
        return 0;
    if ((*format == 'l' || *format == 'q') && view->itemsize == 8)
        return 'q';
    return *format;
}

static int fits(const Py_buffer *view, const struct wish *wish)
{
    char format = buffer_format(view);
    if (format == 0 || strchr(wish->formats, format) == 0) {
        PyErr_Format(PyExc_TypeError, "%s has format '%s'; expected %s", wish->name, view->format ? view->format : "B", wish->dtypes);
        return 0;
    }
    if (view->ndim != wish->axes) {
        PyErr_Format(PyExc_ValueError, "%s has %d axes; expected %d", wish->name, view->ndim, wish->axes);
        return 0;
    }
    for (int axis = 0; axis < wish->axes; axis++) {
        if (wish->shape[axis] >= 0 && view->shape[axis] != wish->shape[axis]) {
            PyErr_Format(PyExc_ValueError, "%s has length %zd on axis %d; expected %lld", wish->name, view->shape[axis], axis,
                         (long long)wish->shape[axis]);
            return 0;
        }
    }
    if ((uintptr_t)view->buf % (uintptr_t)view->itemsize != 0) {
        PyErr_Format(PyExc_ValueError, "%s does not start on a boundary of its %zd bytes a value; copy it", wish->name, view->itemsize);
        return 0;
    }
    return 1;
}

int buffer_take(PyObject *array, const struct wish *wish, Py_buffer *view)
{
    int flags = PyBUF_FORMAT | PyBUF_ND | PyBUF_C_CONTIGUOUS | (wish->writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(array, view, flags) != 0) {
        PyObject *type, *value, *trace;
        PyErr_Fetch(&type, &value, &trace);
        if (PyErr_GivenExceptionMatches(type, PyExc_MemoryError)) {
            PyErr_Restore(type, value, trace);
            return -1;
        }
        PyErr_Format(PyExc_TypeError, "%s is no %sarray of contiguous rows (%S)", wish->name, wish->writable ? "writable " : "",
                     value ? value : type);
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(trace);
        return -1;
    }
    if (!fits(view, wish)) {
        PyBuffer_Release(view);
        return -1;
    }
    return 0;
}
