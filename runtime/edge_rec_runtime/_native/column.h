/* A column of floats beside a table, one a row: scales or biases, stored as float16 or float32, or not there. */
#ifndef EDGE_REC_COLUMN_H
#define EDGE_REC_COLUMN_H

#include "cpu.h"
#include "half.h"

#include <stdint.h>

enum number { NONE, HALF, SINGLE };

struct column {
    enum number number;
    const void *values; /* [rows] */
    double peak;        /* the largest magnitude; 0 if there is none */
};

/* Find the peak of a column of n values; 0 if one of them is NaN or infinite. */
int column_measure(struct column *column, int64_t n);

INLINE float column_at(const struct column *column, int64_t row)
{
    if (column->number == NONE)
        return 0.0f;
    return column->number == HALF ? half_to_float(((const uint16_t *)column->values)[row]) : ((const float *)column->values)[row];
}

/* The largest value of rows first .. stop, at least one; 0 if there is no column. */
float column_largest(const struct column *column, int64_t first, int64_t stop);

#if defined(EDGE_REC_X86)
#include <immintrin.h>

/* The values of 16 rows; a full block, or those of a mask. */
TARGET_AVX512 INLINE __m512 column_16(const struct column *column, int64_t row, __mmask16 present, const int full)
{
    if (column->number == NONE)
        return _mm512_setzero_ps();
    if (column->number == HALF) {
        const uint16_t *at = (const uint16_t *)column->values + row;
        return _mm512_cvtph_ps(full ? _mm256_loadu_si256((const void *)at) : _mm256_maskz_loadu_epi16(present, at));
    }
    const float *at = (const float *)column->values + row;
    return full ? _mm512_loadu_ps(at) : _mm512_maskz_loadu_ps(present, at);
}

/* The values of 8 rows. */
TARGET_AVX2 INLINE __m256 column_8(const struct column *column, int64_t row)
{
    if (column->number == NONE)
        return _mm256_setzero_ps();
    if (column->number == HALF)
        return _mm256_cvtph_ps(_mm_loadu_si128((const void *)((const uint16_t *)column->values + row)));
    return _mm256_loadu_ps((const float *)column->values + row);
}
#endif

#endif
