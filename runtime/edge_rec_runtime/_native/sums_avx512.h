/* Sixteen vectors of 16 numbers -> one vector of their 16 sums, by a tree of shuffles. */
#ifndef EDGE_REC_SUMS_AVX512_H
#define EDGE_REC_SUMS_AVX512_H

#include "cpu.h"

#include <immintrin.h>

/* Lane i of the result is the sum of the lanes of part[i]. Each step halves the vectors: pairs of them are interleaved and
 * added, first by numbers, then by pairs, then by quarters of a vector. */
TARGET_AVX512 INLINE __m512i sums_16(const __m512i part[16])
{
    __m512i eight[8], four[4];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        eight[i] = _mm512_add_epi32(_mm512_unpacklo_epi32(part[2 * i], part[2 * i + 1]),
                                    _mm512_unpackhi_epi32(part[2 * i], part[2 * i + 1]));
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        four[i] = _mm512_add_epi32(_mm512_unpacklo_epi64(eight[2 * i], eight[2 * i + 1]),
                                   _mm512_unpackhi_epi64(eight[2 * i], eight[2 * i + 1]));
    __m512i low = _mm512_add_epi32(_mm512_shuffle_i32x4(four[0], four[1], 0x88), _mm512_shuffle_i32x4(four[0], four[1], 0xdd));
    __m512i high = _mm512_add_epi32(_mm512_shuffle_i32x4(four[2], four[3], 0x88), _mm512_shuffle_i32x4(four[2], four[3], 0xdd));
    return _mm512_add_epi32(_mm512_shuffle_i32x4(low, high, 0x88), _mm512_shuffle_i32x4(low, high, 0xdd));
}

#endif
