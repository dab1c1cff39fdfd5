/* fp32 and fp16 with AVX2: a row's 16 lanes are two registers; four rows are summed up together. */
#include "fp32.h"

#include <immintrin.h>

struct lanes {
    __m256 low, high; /* 0 to 7, 8 to 15 */
};

TARGET_AVX2 INLINE __m256 load_8(const struct fp32_table *table, int64_t at, const int half)
{
    if (half)
        return _mm256_cvtph_ps(_mm_loadu_si128((const void *)((const uint16_t *)table->values + at)));
    return _mm256_loadu_ps((const float *)table->values + at);
}

/* The lanes of a row. */
TARGET_AVX2 INLINE struct lanes dot_row(const struct fp32_table *table, const float *query, int64_t row, const int64_t dims,
                                        const int half)
{
    const int64_t whole = dims / 16 * 16, start = row * dims;
    struct lanes sum = {_mm256_setzero_ps(), _mm256_setzero_ps()};
#pragma GCC unroll 8
    for (int64_t i = 0; i < whole; i += 16) {
        sum.low = _mm256_fmadd_ps(load_8(table, start + i, half), _mm256_load_ps(query + i), sum.low);
        sum.high = _mm256_fmadd_ps(load_8(table, start + i + 8, half), _mm256_load_ps(query + i + 8), sum.high);
    }
    if (whole < dims) {
        float last[16] = {0};
        for (int64_t i = whole; i < dims; i++)
            last[i - whole] = half ? half_to_float(((const uint16_t *)table->values)[start + i]) : ((const float *)table->values)[start + i];
        sum.low = _mm256_fmadd_ps(_mm256_loadu_ps(last), _mm256_load_ps(query + whole), sum.low);
        sum.high = _mm256_fmadd_ps(_mm256_loadu_ps(last + 8), _mm256_load_ps(query + whole + 8), sum.high);
    }
    return sum;
}

/* Of four registers a quarter's sum each: half of register i is lanes a b c d, and becomes (a+c)+(b+d) in place i of that half. */
TARGET_AVX2 INLINE __m256 sum_quarters(__m256 a, __m256 b, __m256 c, __m256 d)
{
    __m256 first = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    __m256 second = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
    __m256d x = _mm256_castps_pd(first), y = _mm256_castps_pd(second);
    return _mm256_add_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(x, y)), _mm256_castpd_ps(_mm256_unpackhi_pd(x, y)));
}

/* The sums of four rows, in the order of fp32_sum_lanes. */
TARGET_AVX2 INLINE __m128 sum_rows(const struct lanes part[4])
{
    __m256 low = sum_quarters(part[0].low, part[1].low, part[2].low, part[3].low);
    __m256 high = sum_quarters(part[0].high, part[1].high, part[2].high, part[3].high);
    __m128 left = _mm_add_ps(_mm256_castps256_ps128(low), _mm256_extractf128_ps(low, 1));
    __m128 right = _mm_add_ps(_mm256_castps256_ps128(high), _mm256_extractf128_ps(high, 1));
    return _mm_add_ps(left, right);
}

TARGET_AVX2 INLINE float score_row(const struct fp32_table *table, const float *query, int64_t row, const int64_t dims, const int half)
{
    float lanes[16];
    struct lanes sum = dot_row(table, query, row, dims, half);
    _mm256_storeu_ps(lanes, sum.low);
    _mm256_storeu_ps(lanes + 8, sum.high);
    return fp32_sum_lanes(lanes) + column_at(&table->bias, row);
}

TARGET_AVX2 INLINE void offer(struct scan *scan, float score, int64_t row)
{
    if (__builtin_expect(!(score <= scan->best->threshold) || score < -FLT_MAX, 0))
        fp32_offer(scan, score, row);
}

/* Offer those of 16 rows, all of them there, that are wanted and above the threshold, or not finite. */
TARGET_AVX2 INLINE void scan_block(const struct fp32_table *table, const float *query, struct scan *scan, int64_t row,
                                   const int64_t dims, const int half)
{
    uint64_t wanted = scan_allowed(scan, row, 16);
    if (!wanted)
        return;
    float score[16];
    for (int at = 0; at < 16; at += 4) {
        struct lanes part[4];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++)
            part[i] = dot_row(table, query, row + at + i, dims, half);
        _mm_storeu_ps(score + at, sum_rows(part));
    }
    const __m256 threshold = _mm256_set1_ps(scan->best->threshold), least = _mm256_set1_ps(-FLT_MAX);
    for (int at = 0; at < 16; at += 8) {
        __m256 scores = _mm256_add_ps(_mm256_loadu_ps(score + at), column_8(&table->bias, row + at));
        __m256 hit = _mm256_or_ps(_mm256_cmp_ps(scores, threshold, _CMP_NLE_UQ), _mm256_cmp_ps(scores, least, _CMP_LT_OQ));
        uint32_t hits = (uint32_t)_mm256_movemask_ps(hit) & (uint32_t)(wanted >> at);
        if (__builtin_expect(hits != 0, 0)) {
            _mm256_storeu_ps(score + at, scores);
            for (; hits; hits &= hits - 1)
                offer(scan, score[at + __builtin_ctz(hits)], row + at + __builtin_ctz(hits));
        }
    }
}

TARGET_AVX2 INLINE void scan_rows(const struct fp32_table *table, const float *query, struct scan *scan, const int64_t dims, const int half)
{
    int64_t row = scan->first;
    for (; row + 16 <= scan->stop; row += 16)
        scan_block(table, query, scan, row, dims, half);
    for (; row < scan->stop; row++)
        if (scan_allows(scan, row))
            offer(scan, score_row(table, query, row, dims, half), row);
}

TARGET_AVX2 void fp32_scan_avx2(const struct fp32_table *table, const float *query, struct scan *scan)
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

TARGET_AVX2 float fp32_score_avx2(const struct fp32_table *table, const float *query, int64_t row)
{
    return table->half ? score_row(table, query, row, table->base.dims, 1) : score_row(table, query, row, table->base.dims, 0);
}
