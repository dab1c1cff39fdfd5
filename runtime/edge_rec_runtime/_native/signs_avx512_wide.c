/* Signs of any width with VNNI: each word of a row is the mask of 64 codes, whose sums are added up for 16 rows at once.
 *
 * Two instructions a word and no tables, so it is exact as it is, whatever the signs of the scales; rows of one or two words are
 * looked up faster (signs_avx512.c).
 */
#include "signs.h"

#include "sums_avx512.h"

#include <immintrin.h>

/* The 16 partial sums of the codes where a row's sign is +. */
TARGET_AVX512 INLINE __m512i sum_row(const struct signs_query *query, const uint8_t *bits, const int64_t row_bytes)
{
    const __m512i one = _mm512_set1_epi8(1);
    __m512i sums = _mm512_setzero_si512();
    int64_t byte = 0;
    for (; byte + 8 <= row_bytes; byte += 8) {
        uint64_t mask;
        memcpy(&mask, bits + byte, 8);
        sums = _mm512_dpbusd_epi32(sums, _mm512_maskz_mov_epi8(mask, one), _mm512_loadu_si512(query->codes + byte * 8));
    }
    if (byte < row_bytes) {
        uint64_t mask = 0;
        for (int64_t i = 0; i < row_bytes - byte; i++)
            mask |= (uint64_t)bits[byte + i] << (8 * i);
        sums = _mm512_dpbusd_epi32(sums, _mm512_maskz_mov_epi8(mask, one), _mm512_loadu_si512(query->codes + byte * 8));
    }
    return sums;
}

TARGET_AVX512 void signs_scan_avx512_wide(const struct signs_table *table, const struct signs_query *query, struct scan *scan)
{
    const int64_t row_bytes = (int64_t)table->base.row_bytes;
    for (int64_t row = scan->first; row < scan->stop; row += 16) {
        __mmask16 hits = (__mmask16)scan_allowed(scan, row, 16);
        if (!hits)
            continue;
        const int64_t last = row + 16 <= scan->stop ? row + 15 : scan->stop - 1;
        const int full = last == row + 15;
        __m512i part[16];
#pragma GCC unroll 16
        for (int64_t i = 0; i < 16; i++)
            part[i] = sum_row(query, table->bits + (row + i < last ? row + i : last) * row_bytes, row_bytes);
        __m512i dots = _mm512_sub_epi32(_mm512_slli_epi32(sums_16(part), 1), _mm512_set1_epi32(query->sum));
        __mmask16 present = full ? 0xffff : (__mmask16)((1u << (last - row + 1)) - 1);
        __m512 factors = _mm512_set1_ps(query->scale);
        if (table->scales.number != NONE)
            factors = _mm512_mul_ps(factors, column_16(&table->scales, row, present, full));
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
}
