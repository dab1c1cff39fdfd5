/* Hamming distances of rows of any width with VPOPCNTDQ: 64 bytes a step, the counts of 16 rows added up at once. */
#include "hamming.h"

#include "sums_avx512.h"

#include <immintrin.h>

/* 16 partial counts of a row. */
TARGET_AVX512 INLINE __m512i count_row(const struct hamming_query *query, const uint8_t *bits, const int64_t row_bytes)
{
    const uint8_t *const signs = query->bytes, *const mask = hamming_mask(query);
    __m512i counts = _mm512_setzero_si512();
    for (int64_t i = 0; i < row_bytes; i += 64) {
        __mmask64 present = row_bytes - i < 64 ? ~UINT64_C(0) >> (64 - (row_bytes - i)) : ~UINT64_C(0);
        __m512i differ = _mm512_ternarylogic_epi64(_mm512_maskz_loadu_epi8(present, bits + i), _mm512_loadu_si512(signs + i),
                                                   _mm512_loadu_si512(mask + i), 0x28); /* (a ^ b) & c */
        counts = _mm512_add_epi32(counts, _mm512_popcnt_epi32(differ));
    }
    return counts;
}

TARGET_AVX512 void hamming_scan_avx512_wide(const struct hamming_table *table, const struct hamming_query *query, struct scan *scan)
{
    const int64_t row_bytes = (int64_t)table->base.row_bytes;
    int64_t limit = hamming_limit(table, scan->best->threshold);
    for (int64_t row = scan->first; row < scan->stop; row += 16) {
        __mmask16 hits = (__mmask16)scan_allowed(scan, row, 16);
        if (!hits)
            continue;
        __m512i part[16];
#pragma GCC unroll 16
        for (int64_t i = 0; i < 16; i++)
            part[i] = count_row(query, table->bits + (row + i < scan->stop ? row + i : row) * row_bytes, row_bytes);
        __m512i distances = sums_16(part);
        hits = _mm512_mask_cmplt_epi32_mask(hits, distances, _mm512_set1_epi32((int32_t)limit));
        if (__builtin_expect(hits != 0, 0)) {
            int32_t distance[16];
            _mm512_storeu_si512(distance, distances);
            for (; hits; hits &= (__mmask16)(hits - 1)) {
                int lane = __builtin_ctz(hits);
                best_offer(scan->best, hamming_score(table, distance[lane]), row + lane);
            }
            limit = hamming_limit(table, scan->best->threshold);
        }
    }
}
