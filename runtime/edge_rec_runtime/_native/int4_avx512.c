/* int4 with VNNI: 128 products for 64 bytes read, 16 rows at a time.
 *
 * Flipping a code's top bit adds 8 to it: 0 to 15, the unsigned side of vpdpbusd. Lower and upper halves of bytes are multiplied
 * by the query's codes for either; the sums start at -8 x sum(q).
 */
#include "int4.h"

#include "sums_avx512.h"

#include <immintrin.h>

TARGET_AVX512 INLINE __m512i add_products(__m512i sums, __m512i codes, __m512i lower, __m512i upper)
{
    const __m512i half = _mm512_set1_epi8(15), flip = _mm512_set1_epi8(8);
    enum { and_xor = 0x6A }; /* (a & b) ^ c */
    sums = _mm512_dpbusd_epi32(sums, _mm512_ternarylogic_epi32(codes, half, flip, and_xor), lower);
    return _mm512_dpbusd_epi32(sums, _mm512_ternarylogic_epi32(_mm512_srli_epi16(codes, 4), half, flip, and_xor), upper);
}

/* The 16 partial sums of a row. */
TARGET_AVX512 INLINE __m512i dot_row(const uint8_t *codes, const struct int4_query *query, const int64_t row_bytes)
{
    const int8_t *const lower = query->codes, *const upper = query->codes + query->halves;
    const int64_t whole = row_bytes / 64 * 64;
    __m512i sums = _mm512_setzero_si512();
    for (int64_t i = 0; i < whole; i += 64)
        sums = add_products(sums, _mm512_loadu_si512(codes + i), _mm512_load_si512(lower + i), _mm512_load_si512(upper + i));
    if (whole < row_bytes) { /* the query is 0 past the row; the mask keeps the load inside the table */
        __m512i last = _mm512_maskz_loadu_epi8(~UINT64_C(0) >> (64 - (row_bytes - whole)), codes + whole);
        sums = add_products(sums, last, _mm512_load_si512(lower + whole), _mm512_load_si512(upper + whole));
    }
    return sums;
}

/* Rows of 32 bytes lie in pairs: 16 rows are 8 vectors, whose halves are added up apart. */
TARGET_AVX512 INLINE __m512i dots_of_32(const uint8_t *codes, const struct int4_query *query)
{
    const __m512i lower = _mm512_broadcast_i64x4(_mm256_load_si256((const void *)query->codes));
    const __m512i upper = _mm512_broadcast_i64x4(_mm256_load_si256((const void *)(query->codes + query->halves)));
    __m512i four[4], part[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        part[i] = add_products(_mm512_setzero_si512(), _mm512_loadu_si512(codes + i * 64), lower, upper);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) /* quarters of a vector hold sums of 2: vectors a, b -> a a b b */
        four[i] = _mm512_add_epi32(_mm512_unpacklo_epi32(part[2 * i], part[2 * i + 1]),
                                   _mm512_unpackhi_epi32(part[2 * i], part[2 * i + 1]));
    __m512i a = _mm512_add_epi32(_mm512_unpacklo_epi64(four[0], four[1]), _mm512_unpackhi_epi64(four[0], four[1]));
    __m512i b = _mm512_add_epi32(_mm512_unpacklo_epi64(four[2], four[3]), _mm512_unpackhi_epi64(four[2], four[3]));
    /* Lane i of quarter j of a: vector i, row j / 2 of its two, a half of the sum. */
    __m512i sums = _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
    const __m512i order = _mm512_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
    return _mm512_permutexvar_epi32(order, sums);
}

/* Offer those of 16 rows that are wanted and above the threshold; fewer rows than 16 if the block is not full. */
TARGET_AVX512 INLINE void scan_block(const struct int4_table *table, const struct int4_query *query, struct scan *scan, int64_t row,
                                     const int64_t row_bytes, const int full)
{
    __mmask16 hits = (__mmask16)scan_allowed(scan, row, 16);
    if (!hits)
        return;
    int64_t last = full ? row + 15 : scan->stop - 1;
    __m512i dots;
    if (row_bytes == 32 && full) {
        dots = dots_of_32(table->codes + row * 32, query);
    } else {
        __m512i part[16];
#pragma GCC unroll 16
        for (int64_t i = 0; i < 16; i++)
            part[i] = dot_row(table->codes + (full || row + i < last ? row + i : last) * row_bytes, query, row_bytes);
        dots = sums_16(part);
    }
    dots = _mm512_sub_epi32(dots, _mm512_set1_epi32(8 * query->sum));
    __mmask16 present = full ? 0xffff : (__mmask16)((1u << (last - row + 1)) - 1);
    __m512 factors = _mm512_mul_ps(_mm512_set1_ps(query->scale), column_16(&table->scales, row, present, full));
    __m512 scores = _mm512_add_ps(_mm512_mul_ps(factors, _mm512_cvtepi32_ps(dots)), column_16(&table->bias, row, present, full));
    hits = _mm512_mask_cmp_ps_mask(hits, scores, _mm512_set1_ps(scan->best->threshold), _CMP_GT_OQ);
    if (__builtin_expect(hits != 0, 0)) {
        float score[16];
        _mm512_storeu_ps(score, scores);
        for (; hits; hits &= (__mmask16)(hits - 1)) {
            int lane = __builtin_ctz(hits);
            best_offer(scan->best, score[lane], row + lane);
        }
    }
}

TARGET_AVX512 INLINE void scan_rows(const struct int4_table *table, const struct int4_query *query, struct scan *scan,
                                    const int64_t row_bytes)
{
    int64_t row = scan->first;
    for (; row + 16 <= scan->stop; row += 16)
        scan_block(table, query, scan, row, row_bytes, 1);
    if (row < scan->stop)
        scan_block(table, query, scan, row, row_bytes, 0);
}

TARGET_AVX512 void int4_scan_avx512(const struct int4_table *table, const struct int4_query *query, struct scan *scan)
{
    switch (table->base.row_bytes) {
    case 16: scan_rows(table, query, scan, 16); break;
    case 32: scan_rows(table, query, scan, 32); break;
    case 64: scan_rows(table, query, scan, 64); break;
    case 128: scan_rows(table, query, scan, 128); break;
    default: scan_rows(table, query, scan, (int64_t)table->base.row_bytes);
    }
}
