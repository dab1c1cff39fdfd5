/* int8 with VNNI: 64 products a step, 16 rows at a time.
 *
 * vpdpbusd multiplies unsigned bytes by signed ones. Flipping the top bit of a code adds 128 to it, which makes it unsigned; the
 * sums thus start at -128 x sum(q) and need no further correction. A row's 16 partial sums are added up with those of 15
 * other rows in one tree of shuffles, then 16 scores are compared with the threshold at once: one branch, almost never taken.
 */
#include "int8.h"

#include "sums_avx512.h"

#include <immintrin.h>

/* The 16 partial sums of a row. */
TARGET_AVX512 INLINE __m512i dot_row(const int8_t *codes, const int8_t *query, const int64_t dims)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    const int64_t whole = dims / 64 * 64;
    __m512i sums = _mm512_setzero_si512();
#pragma GCC unroll 4
    for (int64_t i = 0; i < whole; i += 64)
        sums = _mm512_dpbusd_epi32(sums, _mm512_xor_si512(flip, _mm512_loadu_si512(codes + i)), _mm512_load_si512(query + i));
    if (whole < dims) { /* the query is 0 there; the mask keeps the load inside the table */
        __mmask64 tail = ~UINT64_C(0) >> (64 - (dims - whole));
        __m512i last = _mm512_maskz_loadu_epi8(tail, codes + whole);
        sums = _mm512_dpbusd_epi32(sums, _mm512_xor_si512(flip, last), _mm512_load_si512(query + whole));
    }
    return sums;
}

/* The dot products of 16 rows from `row` on, of which those after `last` are whatever `last` has. */
TARGET_AVX512 INLINE __m512i dots_16(const struct int8_table *table, const int8_t *query, int64_t row, int64_t last,
                                     const int64_t dims, const int full)
{
    if (dims == 32 && full) { /* two rows to a vector */
        const __m512i flip = _mm512_set1_epi8((char)0x80), both = _mm512_broadcast_i64x4(_mm256_load_si256((const void *)query));
        __m512i pair[8];
#pragma GCC unroll 8
        for (int64_t i = 0; i < 8; i++) {
            __m512i codes = _mm512_xor_si512(flip, _mm512_loadu_si512(table->codes + (row + 2 * i) * 32));
            pair[i] = _mm512_dpbusd_epi32(_mm512_setzero_si512(), codes, both);
        }
        return sums_16_halves(pair);
    }
    __m512i part[16];
#pragma GCC unroll 16
    for (int64_t i = 0; i < 16; i++)
        part[i] = dot_row(table->codes + (full || row + i < last ? row + i : last) * dims, query, dims);
    return sums_16(part);
}

/* Offer those of 16 rows that are wanted and above the threshold, or, in the first of two streams, equal to it; fewer rows than
 * 16 if the block is not full. */
TARGET_AVX512 INLINE void scan_block(const struct int8_table *table, const struct int8_query *query, struct scan *scan, int64_t row,
                                     const int64_t dims, const int full, const int or_equal)
{
    __mmask16 wanted = (__mmask16)scan_allowed(scan, row, 16);
    if (!wanted)
        return;
    int64_t last = full ? row + 15 : scan->stop - 1;
    __mmask16 present = full ? 0xffff : (__mmask16)((1u << (last - row + 1)) - 1);
    __m512i dots = _mm512_add_epi32(dots_16(table, query->codes, row, last, dims, full),
                                    _mm512_set1_epi32((int32_t)(-128u * (uint32_t)query->sum)));
    __m512 factors = _mm512_mul_ps(_mm512_set1_ps(query->scale), column_16(&table->scales, row, present, full));
    __m512 scores = _mm512_add_ps(_mm512_mul_ps(factors, _mm512_cvtepi32_ps(dots)), column_16(&table->bias, row, present, full));
    __m512 threshold = _mm512_set1_ps(scan->best->threshold);
    __mmask16 hits = or_equal ? _mm512_mask_cmp_ps_mask(wanted, scores, threshold, _CMP_GE_OQ)
                              : _mm512_mask_cmp_ps_mask(wanted, scores, threshold, _CMP_GT_OQ);
    if (__builtin_expect(hits != 0, 0)) {
        float score[16];
        _mm512_storeu_ps(score, scores);
        for (; hits; hits &= (__mmask16)(hits - 1)) {
            int lane = __builtin_ctz(hits);
            best_offer(scan->best, score[lane], row + lane);
        }
    }
}

TARGET_AVX512 INLINE void scan_rows(const struct int8_table *table, const struct int8_query *query, struct scan *scan,
                                    const int64_t dims)
{
    int64_t half = scan_half(scan, 16), row = scan->first;
    for (; row < scan->first + half; row += 16) {
        scan_block(table, query, scan, row, dims, 1, 1);
        scan_block(table, query, scan, row + half, dims, 1, 0);
    }
    for (row += half; row + 16 <= scan->stop; row += 16)
        scan_block(table, query, scan, row, dims, 1, 0);
    if (row < scan->stop)
        scan_block(table, query, scan, row, dims, 0, 0);
}

TARGET_AVX512 void int8_scan_avx512(const struct int8_table *table, const struct int8_query *query, struct scan *scan)
{
    switch (table->base.dims) {
    case 32: scan_rows(table, query, scan, 32); break;
    case 64: scan_rows(table, query, scan, 64); break;
    case 128: scan_rows(table, query, scan, 128); break;
    case 256: scan_rows(table, query, scan, 256); break;
    default: scan_rows(table, query, scan, table->base.dims);
    }
}
