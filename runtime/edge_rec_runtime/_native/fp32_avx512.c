/* fp32 and fp16 with AVX-512: a row's 16 lanes are one register; those of 16 rows are summed up by one tree of shuffles.
 *
 * The table is read once, in order, at the speed of the memory: 256 bytes a row at 64 values leave the CPU idle most of the time,
 * if the memory is kept busy. It is where one instruction walks along a row: fetching ahead goes by the address of the loading
 * instruction, and one that is there once for each line of a row, as in a loop that is unrolled wholly, is never seen to go on to
 * the next line. So rows longer than two lines are loops (1.3 to 2.5 times as fast as unrolled).
 */
#include "fp32.h"

#include <immintrin.h>

TARGET_AVX512 INLINE __m512 load_16(const struct fp32_table *table, int64_t at, const int half)
{
    if (half)
        return _mm512_cvtph_ps(_mm256_loadu_si256((const void *)((const uint16_t *)table->values + at)));
    return _mm512_loadu_ps((const float *)table->values + at);
}

TARGET_AVX512 INLINE __m512 load_some(const struct fp32_table *table, int64_t at, __mmask16 some, const int half)
{
    if (half)
        return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(some, (const uint16_t *)table->values + at));
    return _mm512_maskz_loadu_ps(some, (const float *)table->values + at);
}

/* The 16 lanes of a row. */
TARGET_AVX512 INLINE __m512 dot_row(const struct fp32_table *table, const float *query, int64_t row, const int64_t dims, const int half)
{
    const int64_t whole = dims / 16 * 16, start = row * dims;
    __m512 lanes = _mm512_setzero_ps();
#pragma GCC unroll 1
    for (int64_t i = 0; i < whole; i += 16)
        lanes = _mm512_fmadd_ps(load_16(table, start + i, half), _mm512_load_ps(query + i), lanes);
    if (whole < dims) {
        __mmask16 some = (__mmask16)((1u << (dims - whole)) - 1);
        lanes = _mm512_fmadd_ps(load_some(table, start + whole, some, half), _mm512_load_ps(query + whole), lanes);
    }
    return lanes;
}

/* Of four rows: in place i of each quarter, what that quarter of row i adds up to, (a+c)+(b+d) for lanes a b c d. */
TARGET_AVX512 INLINE __m512 sum_quarters(const __m512 part[4])
{
    __m512 first = _mm512_add_ps(_mm512_unpacklo_ps(part[0], part[1]), _mm512_unpackhi_ps(part[0], part[1]));
    __m512 second = _mm512_add_ps(_mm512_unpacklo_ps(part[2], part[3]), _mm512_unpackhi_ps(part[2], part[3]));
    __m512d x = _mm512_castps_pd(first), y = _mm512_castps_pd(second);
    return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(x, y)), _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)));
}

/* The sums of 16 rows, of which those after `last` are whatever `last` has, in the order of fp32_sum_lanes. */
TARGET_AVX512 INLINE __m512 sums_16(const struct fp32_table *table, const float *query, int64_t row, int64_t last, const int64_t dims,
                                    const int half, const int full)
{
    __m512 four[4];
#pragma GCC unroll 1
    for (int64_t at = 0; at < 16; at += 4) {
        __m512 part[4];
#pragma GCC unroll 4
        for (int64_t i = at; i < at + 4; i++)
            part[i - at] = dot_row(table, query, full || row + i < last ? row + i : last, dims, half);
        four[at / 4] = sum_quarters(part);
    }
    __m512 low = _mm512_add_ps(_mm512_shuffle_f32x4(four[0], four[1], 0x88), _mm512_shuffle_f32x4(four[0], four[1], 0xdd));
    __m512 high = _mm512_add_ps(_mm512_shuffle_f32x4(four[2], four[3], 0x88), _mm512_shuffle_f32x4(four[2], four[3], 0xdd));
    return _mm512_add_ps(_mm512_shuffle_f32x4(low, high, 0x88), _mm512_shuffle_f32x4(low, high, 0xdd));
}

/* Offer those of 16 rows that are wanted and above the threshold, or not finite; fewer rows than 16 if the block is not full. */
TARGET_AVX512 INLINE void scan_block(const struct fp32_table *table, const float *query, struct scan *scan, int64_t row,
                                     const int64_t dims, const int half, const int full)
{
    __mmask16 wanted = (__mmask16)scan_allowed(scan, row, 16);
    if (!wanted)
        return;
    int64_t last = full ? row + 15 : scan->stop - 1;
    __mmask16 present = full ? 0xffff : (__mmask16)((1u << (last - row + 1)) - 1);
    __m512 scores = _mm512_add_ps(sums_16(table, query, row, last, dims, half, full), column_16(&table->bias, row, present, full));
    __mmask16 hits = _mm512_mask_cmp_ps_mask(wanted, scores, _mm512_set1_ps(scan->best->threshold), _CMP_NLE_UQ);
    hits |= _mm512_mask_cmp_ps_mask(wanted, scores, _mm512_set1_ps(-FLT_MAX), _CMP_LT_OQ);
    if (__builtin_expect(hits != 0, 0)) {
        float score[16];
        _mm512_storeu_ps(score, scores);
        for (; hits; hits &= (__mmask16)(hits - 1)) {
            int lane = __builtin_ctz(hits);
            fp32_offer(scan, score[lane], row + lane);
        }
    }
}

TARGET_AVX512 INLINE void scan_rows(const struct fp32_table *table, const float *query, struct scan *scan, const int64_t dims,
                                    const int half)
{
    int64_t row = scan->first;
    for (; row + 16 <= scan->stop; row += 16)
        scan_block(table, query, scan, row, dims, half, 1);
    if (row < scan->stop)
        scan_block(table, query, scan, row, dims, half, 0);
}

TARGET_AVX512 void fp32_scan_avx512(const struct fp32_table *table, const float *query, struct scan *scan)
{
    if (table->half)
        scan_rows(table, query, scan, table->base.dims, 1);
    else if (table->base.dims == 32)
        scan_rows(table, query, scan, 32, 0);
    else if (table->base.dims == 64)
        scan_rows(table, query, scan, 64, 0);
    else
        scan_rows(table, query, scan, table->base.dims, 0);
}

TARGET_AVX512 float fp32_score_avx512(const struct fp32_table *table, const float *query, int64_t row)
{
    float lanes[16];
    _mm512_storeu_ps(lanes, table->half ? dot_row(table, query, row, table->base.dims, 1) : dot_row(table, query, row, table->base.dims, 0));
    return fp32_sum_lanes(lanes) + column_at(&table->bias, row);
}
