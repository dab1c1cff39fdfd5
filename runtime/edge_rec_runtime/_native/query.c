/* The same numbers, to the bit, as quantise_query of codes/_arithmetic.py. */
#include "query.h"

#include <string.h>

int query_round(const float *query, int64_t dims, int8_t *codes, float *scale)
{
    uint32_t peak_bits = 0; /* magnitudes compare as their bits do; NaN and infinity come out above all others */
    for (int64_t i = 0; i < dims; i++) {
        uint32_t bits;
        memcpy(&bits, query + i, 4);
        bits &= 0x7fffffffu;
        peak_bits = bits > peak_bits ? bits : peak_bits;
    }
    if (peak_bits >= 0x7f800000u)
        return 0;
    float peak;
    memcpy(&peak, &peak_bits, 4);
    *scale = peak / 127.0f;
    if (*scale == 0.0f) {
        memset(codes, 0, (size_t)dims);
        return 1;
    }
    /* 1.5 x 2^23 has no room for a fraction: adding it rounds half to even, and quotients stay far below it (a scale that is
     * subnormal is off by a half at most, so they reach 254). */
    const float rounder = 12582912.0f;
    for (int64_t i = 0; i < dims; i++) {
        float whole = (query[i] / *scale + rounder) - rounder;
        whole = whole > 127.0f ? 127.0f : whole < -127.0f ? -127.0f : whole;
        codes[i] = (int8_t)whole;
    }
    return 1;
}
