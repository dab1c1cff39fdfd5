/* Signs with AVX2, rows of up to 128: half bytes are looked up, 32 at a time, 32 rows at a time.
 *
 * vpshufb looks half bytes up in a table of 16. So 32 rows are turned into vectors that hold the same byte of each, and each of
 * its halves has a table. Of two numbers looked up the mean, rounded up, is added in 16 bits. That bounds a row's score from above, as
 * in signs_avx512.c, and those whose bound passes the threshold are scored exactly.
 */
#include "signs.h"

#include <immintrin.h>

enum { ROWS = 32, BYTES = 8 };

/* Bytes `word` x 8 to 7 further of 32 rows -> vector i holds byte i of all; rows 16 to 31 in the upper halves. Interleaving vectors that
 * are four apart, four times, turns a square of 16 rows x 8 bytes. */
TARGET_AVX2 INLINE void turn(const uint8_t *bits, const int64_t row_bytes, __m256i turned[BYTES])
{
    __m256i from[BYTES];
#pragma GCC unroll 8
    for (int64_t i = 0; i < BYTES; i++) {
        int64_t row[4];
        for (int64_t j = 0; j < 4; j++)
            memcpy(&row[j], bits + (2 * i + j % 2 + j / 2 * 16) * row_bytes, 8);
        from[i] = _mm256_setr_epi64x(row[0], row[1], row[2], row[3]);
    }
#pragma GCC unroll 4
    for (int step = 0; step < 4; step++) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            turned[2 * i] = _mm256_unpacklo_epi8(from[i], from[i + 4]);
            turned[2 * i + 1] = _mm256_unpackhi_epi8(from[i], from[i + 4]);
        }
#pragma GCC unroll 8
        for (int i = 0; i < BYTES; i++)
            from[i] = turned[i];
    }
}

TARGET_AVX2 INLINE __m256i table_of(const uint8_t *sums)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)sums));
}

/* The sums of 32 rows in 16 bits: those of rows 0 to 7 and 16 to 23, and of the others. */
TARGET_AVX2 INLINE void sum_rows(const struct signs_halves *halves, const uint8_t *bits, const int64_t row_bytes, const int words,
                                 __m256i sums[2])
{
    const __m256i half = _mm256_set1_epi8(15);
    __m256i both = _mm256_setzero_si256(), odd = both; /* rows 2 i and 2 i + 1 in 16 bits, the latter 256-fold; the latter alone */
#pragma GCC unroll 2
    for (int word = 0; word < words; word++) {
        __m256i bytes[BYTES];
        turn(bits + word * 8, row_bytes, bytes);
#pragma GCC unroll 8
        for (int i = 0; i < BYTES; i++) {
            const uint8_t(*tables)[64] = halves->sums[word * 2 + i / 4];
            __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes[i], 4), half), low = _mm256_and_si256(bytes[i], half);
            __m256i mean = _mm256_avg_epu8(_mm256_shuffle_epi8(table_of(tables[0] + i % 4 * 16), high),
                                           _mm256_shuffle_epi8(table_of(tables[1] + i % 4 * 16), low));
            both = _mm256_add_epi16(both, mean);
            odd = _mm256_add_epi16(odd, _mm256_srli_epi16(mean, 8));
        }
    }
    __m256i even = _mm256_sub_epi16(both, _mm256_slli_epi16(odd, 8));
    sums[0] = _mm256_unpacklo_epi16(even, odd);
    sums[1] = _mm256_unpackhi_epi16(even, odd);
}

TARGET_AVX2 static __attribute__((noinline)) void offer_rows(const struct signs_table *table, const struct signs_query *query,
                                                             struct best *best, int64_t row, uint64_t rows)
{
    const int64_t row_bytes = (int64_t)table->base.row_bytes;
    for (; rows; rows &= rows - 1) {
        int64_t one = row + __builtin_ctzll(rows);
        float score = signs_score(table, query, signs_dot(query, table->bits + one * row_bytes, row_bytes), one);
        if (score > best->threshold)
            best_offer(best, score, one);
    }
}

/* Which of 8 rows have a bound above the threshold, by the roundings of the score itself. */
TARGET_AVX2 INLINE unsigned above_8(const struct signs_table *table, const struct signs_query *query, __m128i sums, int64_t row,
                                    float threshold)
{
    const __m256 step = _mm256_set1_ps((float)(2 * query->halves.step)), offset = _mm256_set1_ps((float)query->halves.offset);
    __m256 dots = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(sums)), step, offset); /* exact */
    __m256 factors = _mm256_set1_ps(query->scale);
    if (table->scales.number != NONE)
        factors = _mm256_mul_ps(factors, column_8(&table->scales, row));
    __m256 bounds = _mm256_add_ps(_mm256_mul_ps(factors, dots), column_8(&table->bias, row));
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(bounds, _mm256_set1_ps(threshold), _CMP_GT_OQ));
}

TARGET_AVX2 INLINE uint64_t above_32(const struct signs_table *table, const struct signs_query *query, const __m256i sums[2],
                                     int64_t row, float threshold)
{
    uint64_t above = above_8(table, query, _mm256_castsi256_si128(sums[0]), row, threshold);
    above |= (uint64_t)above_8(table, query, _mm256_castsi256_si128(sums[1]), row + 8, threshold) << 8;
    above |= (uint64_t)above_8(table, query, _mm256_extracti128_si256(sums[0], 1), row + 16, threshold) << 16;
    return above | (uint64_t)above_8(table, query, _mm256_extracti128_si256(sums[1], 1), row + 24, threshold) << 24;
}

TARGET_AVX2 INLINE void scan_rows(const struct signs_table *table, const struct signs_query *query, struct scan *scan,
                                  const int words, const int64_t row_bytes, const int scaled)
{
    /* A row's last word may reach beyond it; the rows whose would reach beyond the table are left to the portable kernel. */
    int64_t readable = table->base.rows - (words * 8 - row_bytes + row_bytes - 1) / row_bytes, row = scan->first;
    int64_t stop = scan->stop < readable ? scan->stop : readable;
    int32_t limit = signs_sum_limit(query, scan->best->threshold);
    for (; row + ROWS <= stop; row += ROWS) {
        uint64_t hits = scan_allowed(scan, row, ROWS);
        if (!hits)
            continue;
        __m256i sums[2];
        sum_rows(&query->halves, table->bits + row * row_bytes, row_bytes, words, sums);
        if (!scaled) { /* sums are below 2^13, and twice a sum at the limit or below is no hit */
            __m256i least = _mm256_set1_epi16((int16_t)(limit < 0 ? -1 : limit / 2 < INT16_MAX ? limit / 2 : INT16_MAX));
            if (_mm256_testz_si256(_mm256_cmpgt_epi16(_mm256_max_epi16(sums[0], sums[1]), least), _mm256_set1_epi8(-1)))
                continue;
        }
        hits &= above_32(table, query, sums, row, scan->best->threshold);
        if (__builtin_expect(hits != 0, 0)) {
            offer_rows(table, query, scan->best, row, hits);
            limit = signs_sum_limit(query, scan->best->threshold);
        }
    }
    struct scan rest = {scan->allowed, row, scan->stop, scan->best};
    signs_scan_portable(table, query, &rest);
}

TARGET_AVX2 void signs_scan_avx2(const struct signs_table *table, const struct signs_query *query, struct scan *scan)
{
    const int scaled = table->scales.number != NONE || table->bias.number != NONE;
    const int64_t row_bytes = (int64_t)table->base.row_bytes;
    if (table->falling || query->words > SIGNS_LOOKED_UP_FEW)
        signs_scan_portable(table, query, scan);
    else if (row_bytes == 8)
        scaled ? scan_rows(table, query, scan, 1, 8, 1) : scan_rows(table, query, scan, 1, 8, 0);
    else if (query->words == 1)
        scan_rows(table, query, scan, 1, row_bytes, scaled);
    else
        scan_rows(table, query, scan, 2, row_bytes, scaled);
}
