/* int8 with AVX2: 32 products a step, 8 rows at a time.
 *
 * vpmaddubsw multiplies unsigned bytes by signed ones and adds neighbours in 16 bits, saturating. The sign of each code is moved
 * to the query: |code| x (query with that sign). As |code| <= 128 and |query| <= 127, two products stay below 2^15, and the sum
 * is exact for every code, -128 too. Rows that end inside the table's last 32 bytes are left to the portable kernel, so that
 * a row's last step may read beyond it, where the query is 0.
 */
#include "int8.h"

#include <immintrin.h>

TARGET_AVX2 INLINE __m256i dot_row(const int8_t *codes, const int8_t *query, const int64_t dims)
{
    __m256i sums = _mm256_setzero_si256();
#pragma GCC unroll 4
    for (int64_t i = 0; i < dims; i += 32) {
        __m256i code = _mm256_loadu_si256((const void *)(codes + i)), factor = _mm256_load_si256((const void *)(query + i));
        __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(code), _mm256_sign_epi8(factor, code));
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
    }
    return sums;
}

/* Lane i of the result is the sum of the lanes of part[i]. */
TARGET_AVX2 INLINE __m256i sums_8(const __m256i part[8])
{
    __m256i low = _mm256_hadd_epi32(_mm256_hadd_epi32(part[0], part[1]), _mm256_hadd_epi32(part[2], part[3]));
    __m256i high = _mm256_hadd_epi32(_mm256_hadd_epi32(part[4], part[5]), _mm256_hadd_epi32(part[6], part[7]));
    return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20), _mm256_permute2x128_si256(low, high, 0x31));
}

TARGET_AVX2 INLINE void scan_block(const struct int8_table *table, const struct int8_query *query, struct scan *scan, int64_t row,
                                   unsigned wanted, const int64_t dims, const int or_equal)
{
    __m256i part[8];
#pragma GCC unroll 8
    for (int64_t i = 0; i < 8; i++)
        part[i] = dot_row(table->codes + (row + i) * dims, query->codes, dims);
    __m256 factors = _mm256_mul_ps(_mm256_set1_ps(query->scale), column_8(&table->scales, row));
    __m256 scores = _mm256_add_ps(_mm256_mul_ps(factors, _mm256_cvtepi32_ps(sums_8(part))), column_8(&table->bias, row));
    __m256 threshold = _mm256_set1_ps(scan->best->threshold);
    __m256 above = or_equal ? _mm256_cmp_ps(scores, threshold, _CMP_GE_OQ) : _mm256_cmp_ps(scores, threshold, _CMP_GT_OQ);
    unsigned hits = (unsigned)_mm256_movemask_ps(above) & wanted;
    if (__builtin_expect(hits != 0, 0)) {
        float score[8];
        _mm256_storeu_ps(score, scores);
        for (; hits; hits &= hits - 1) {
            int lane = __builtin_ctz(hits);
            best_offer(scan->best, score[lane], row + lane);
        }
    }
}

/* 16 rows: one look at the filter for two blocks. */
TARGET_AVX2 INLINE void scan_16(const struct int8_table *table, const struct int8_query *query, struct scan *scan, int64_t row,
                                const int64_t dims, const int or_equal)
{
    unsigned wanted = (unsigned)scan_allowed(scan, row, 16);
    if (wanted & 0xff)
        scan_block(table, query, scan, row, wanted & 0xff, dims, or_equal);
    if (wanted >> 8)
        scan_block(table, query, scan, row + 8, wanted >> 8, dims, or_equal);
}

TARGET_AVX2 INLINE void scan_rows(const struct int8_table *table, const struct int8_query *query, struct scan *all, const int64_t dims)
{
    struct scan scan = *all; /* without the rows at the table's end */
    int64_t readable = table->base.rows - (dims % 32 ? (31 + dims) / dims : 0);
    if (scan.stop > readable)
        scan.stop = readable > scan.first ? readable : scan.first;
    int64_t half = scan_half(&scan, 16), row = scan.first;
    for (; row < scan.first + half; row += 16) {
        scan_16(table, query, &scan, row, dims, 1);
        scan_16(table, query, &scan, row + half, dims, 0);
    }
    for (row += half; row + 16 <= scan.stop; row += 16)
        scan_16(table, query, &scan, row, dims, 0);
    struct scan rest = {all->allowed, row, all->stop, all->best};
    int8_scan_portable(table, query, &rest);
}

TARGET_AVX2 void int8_scan_avx2(const struct int8_table *table, const struct int8_query *query, struct scan *scan)
{
    switch (table->base.dims) {
    case 32: scan_rows(table, query, scan, 32); break;
    case 64: scan_rows(table, query, scan, 64); break;
    case 128: scan_rows(table, query, scan, 128); break;
    case 256: scan_rows(table, query, scan, 256); break;
    default: scan_rows(table, query, scan, table->base.dims);
    }
}
