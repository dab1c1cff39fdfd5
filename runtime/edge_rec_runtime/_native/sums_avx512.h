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

/* Eight vectors of two rows each: lanes 2i and 2i + 1 of the result are the sums of the lower and upper half of pair[i]. */
TARGET_AVX512 INLINE __m512i sums_16_halves(const __m512i pair[8])
{
    __m512i four[4], two[2];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        four[i] = _mm512_add_epi32(_mm512_unpacklo_epi32(pair[2 * i], pair[2 * i + 1]),
                                   _mm512_unpackhi_epi32(pair[2 * i], pair[2 * i + 1]));
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++)
        two[i] = _mm512_add_epi32(_mm512_unpacklo_epi64(four[2 * i], four[2 * i + 1]),
                                  _mm512_unpackhi_epi64(four[2 * i], four[2 * i + 1]));
    /* quarters now: the lower halves of pairs 0-3, their upper halves, those of pairs 4-7 */
    __m512i sums = _mm512_add_epi32(_mm512_shuffle_i32x4(two[0], two[1], 0x88), _mm512_shuffle_i32x4(two[0], two[1], 0xdd));
    const __m512i order = _mm512_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
    return _mm512_permutexvar_epi32(order, sums);
}

#endif
