/* The arrays that come with one call, and its answer. */
#include "call.h"

#include "cpu.h"

#include <stdlib.h>
#include <string.h>
#if defined(EDGE_REC_X86)
#include <emmintrin.h>
#endif

const Py_buffer *call_take(struct call *call, PyObject *array, const struct wish *wish)
{
    Py_buffer *view = &call->views[call->count];
    if (buffer_take(array, wish, view) != 0)
        return 0;
    call->count++;
    return view;
}

void call_release(struct call *call)
{
    while (call->count > 0)
        PyBuffer_Release(&call->views[--call->count]);
}

/* 8 bytes, 0 or not -> 8 bits, the first byte's lowest. */
static uint8_t bits_of(const uint8_t *bytes)
{
    uint64_t eight;
    memcpy(&eight, bytes, 8);
    /* numpy's bool is 0 or 1; other writers may mean any value but 0: fold each byte's bits into its lowest. */
    eight |= eight >> 4;
    eight |= eight >> 2;
    eight |= eight >> 1;
    eight &= UINT64_C(0x0101010101010101);
    return (uint8_t)(eight * UINT64_C(0x0102040810204080) >> 56);
}

/* One byte a row, 0 or not, -> the bitmap of struct scan. */
static uint8_t *bitmap_of(const uint8_t *bytes, int64_t rows)
{
    uint8_t *bitmap = calloc((size_t)(rows + 7) / 8 + 8, 1);
    if (!bitmap)
        return 0;
    int64_t row = 0;
#if defined(EDGE_REC_X86)
    for (; row + 16 <= rows; row += 16) { /* every x86-64 has SSE2 */
        __m128i none = _mm_cmpeq_epi8(_mm_loadu_si128((const void *)(bytes + row)), _mm_setzero_si128());
        uint16_t bits = (uint16_t)~_mm_movemask_epi8(none);
        memcpy(bitmap + row / 8, &bits, 2);
    }
#endif
    for (; row + 8 <= rows; row += 8)
        bitmap[row / 8] = bits_of(bytes + row);
    for (; row < rows; row++)
        if (bytes[row])
            bitmap[row / 8] |= (uint8_t)(1u << (row % 8));
    return bitmap;
}

int call_take_allowed(struct call *call, PyObject *array, int64_t rows, uint8_t **bitmap)
{
    *bitmap = 0;
    if (array == Py_None)
        return 0;
    struct wish wish = {"allowed", "?B", "bool, or its bits as uint8", 0, 1, {-1}};
    const Py_buffer *view = call_take(call, array, &wish);
    if (!view)
        return -1;
    int packed = buffer_format(view) == 'B';
    int64_t expected = packed ? (rows + 7) / 8 : rows;
    if (view->shape[0] != expected) {
        PyErr_Format(PyExc_ValueError, "allowed has length %zd; expected %lld", view->shape[0], (long long)expected);
        return -1;
    }
    if (packed) {
        *bitmap = calloc((size_t)expected + 8, 1);
        if (*bitmap && expected)
            memcpy(*bitmap, view->buf, (size_t)expected);
    } else {
        *bitmap = bitmap_of(view->buf, rows);
    }
    if (!*bitmap) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

PyObject *call_answer(enum searched state, int64_t found)
{
    switch (state) {
    case SEARCHED: return PyLong_FromLongLong(found);
    case SEARCH_NOT_FINITE: PyErr_SetString(PyExc_ValueError, "the query holds NaN or infinite values"); return 0;
    case SEARCH_TOO_LARGE: PyErr_SetString(PyExc_OverflowError, "scores of this query and table may leave float32"); return 0;
    default: return PyErr_NoMemory();
    }
}
