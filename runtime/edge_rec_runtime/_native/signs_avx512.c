/* Signs with VBMI and VNNI, rows of up to 128: half bytes are looked up, 64 at a time, 16 rows at a time.
 *
 * vpermb looks 64 bytes up in a table of 64: 4 positions x 16 values of half a byte. So 16 rows are first turned into vectors
 * that hold the same 4 bytes of each; with the position put above the half byte, one instruction looks up all of them, and
 * vpdpbusd adds each row's 4 up. The sums are exact, or at most one a group too large (struct signs_halves); both give an upper
 * bound of the score, computed by the same roundings as the score, so that it never falls below it. Rows whose bound passes
 * the threshold are scored exactly: a few hundred of a million.
 */
#include "signs.h"

#include <immintrin.h>

struct lookup {
    __m512i sums[SIGNS_LOOKED_UP * 2][2];
    __m512i order;  /* the lane of each of the 16 rows */
    __m512i spread; /* rows of any width -> rows of whole words, for rows that are not */
    __mmask64 spread_to, loaded;
};

/* Rows lie 8 or 4 to a vector; these lanes hold row 0, 1, 2, ... after the turn. */
static const int8_t ORDERS[SIGNS_LOOKED_UP][16] = {
    {0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15},
    {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
};

TARGET_AVX512 INLINE struct lookup make_lookup(const struct signs_query *query, const int words, const int64_t row_bytes)
{
    struct lookup lookup;
    for (int i = 0; i < words * 2; i++)
        for (int half = 0; half < 2; half++)
            lookup.sums[i][half] = _mm512_loadu_si512(query->halves.sums[i][half]);
    lookup.order = _mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)ORDERS[words - 1]));
    uint8_t from[64] = {0};
    lookup.spread_to = 0;
    for (int i = 0; i < 64; i++) {
        int row = i / (8 * words), byte = i % (8 * words);
        if (byte >= row_bytes)
            continue;
        from[i] = (uint8_t)(row * row_bytes + byte);
        lookup.spread_to |= UINT64_C(1) << i;
    }
    lookup.spread = _mm512_loadu_si512(from);
    lookup.loaded = ~UINT64_C(0) >> (64 - 8 / words * row_bytes);
    return lookup;
}

/* Add up what both halves of the 4 bytes in each lane stand for. */
TARGET_AVX512 INLINE __m512i look_up(__m512i sums, __m512i bytes, const __m512i tables[2])
{
    const __m512i half = _mm512_set1_epi8(15), position = _mm512_set1_epi32(0x30201000), one = _mm512_set1_epi8(1);
    enum { and_or = 0xEA }; /* (a & b) | c */
    __m512i low = _mm512_ternarylogic_epi32(bytes, half, position, and_or);
    __m512i high = _mm512_ternarylogic_epi32(_mm512_srli_epi32(bytes, 4), half, position, and_or);
    sums = _mm512_dpbusd_epi32(sums, _mm512_permutexvar_epi8(high, tables[0]), one);
    return _mm512_dpbusd_epi32(sums, _mm512_permutexvar_epi8(low, tables[1]), one);
}

/* The next 8 / words rows, each in whole words. */
TARGET_AVX512 INLINE __m512i load_rows(const uint8_t *bits, const struct lookup *lookup, const int whole)
{
    if (whole)
        return _mm512_loadu_si512(bits);
    return _mm512_maskz_permutexvar_epi8(lookup->spread_to, lookup->spread, _mm512_maskz_loadu_epi8(lookup->loaded, bits));
}

/* The sums of 16 rows, in the lanes that lookup->order names. */
TARGET_AVX512 INLINE __m512i sum_rows(const uint8_t *bits, const struct lookup *lookup, const int words, const int whole,
                                      const int64_t row_bytes)
{
    const __m512i none = _mm512_setzero_si512();
    if (words == 1) {
        __m512 a = _mm512_castsi512_ps(load_rows(bits, lookup, whole));
        __m512 b = _mm512_castsi512_ps(load_rows(bits + 8 * row_bytes, lookup, whole));
        __m512i first = _mm512_castps_si512(_mm512_shuffle_ps(a, b, 0x88)), second = _mm512_castps_si512(_mm512_shuffle_ps(a, b, 0xdd));
        return look_up(look_up(none, first, lookup->sums[0]), second, lookup->sums[1]);
    }
    __m512i a = load_rows(bits, lookup, whole), b = load_rows(bits + 4 * row_bytes, lookup, whole);
    __m512i c = load_rows(bits + 8 * row_bytes, lookup, whole), d = load_rows(bits + 12 * row_bytes, lookup, whole);
    __m512i ab = _mm512_unpacklo_epi32(a, b), cd = _mm512_unpacklo_epi32(c, d);
    __m512i sums = look_up(none, _mm512_unpacklo_epi64(ab, cd), lookup->sums[0]);
    sums = look_up(sums, _mm512_unpackhi_epi64(ab, cd), lookup->sums[1]);
    ab = _mm512_unpackhi_epi32(a, b), cd = _mm512_unpackhi_epi32(c, d);
    sums = look_up(sums, _mm512_unpacklo_epi64(ab, cd), lookup->sums[2]);
    return look_up(sums, _mm512_unpackhi_epi64(ab, cd), lookup->sums[3]);
}

/* q8 . signs of one row: a bit of the row is the mask of a code. */
TARGET_AVX512 INLINE int32_t dot_row(const struct signs_query *query, const uint8_t *bits, const int64_t row_bytes)
{
    const __m512i one = _mm512_set1_epi8(1);
    __m512i sums = _mm512_setzero_si512();
    for (int32_t word = 0; word < query->words; word++) {
        int64_t left = row_bytes - word * 8;
        uint64_t mask = 0;
        memcpy(&mask, bits + word * 8, (size_t)(left < 8 ? left : 8));
        __m512i codes = _mm512_loadu_si512(query->codes + word * SIGNS_WORD);
        sums = _mm512_dpbusd_epi32(sums, _mm512_maskz_mov_epi8(mask, one), codes);
    }
    return 2 * _mm512_reduce_add_epi32(sums) - query->sum;
}

TARGET_AVX512 static __attribute__((noinline)) void offer_rows(const struct signs_table *table, const struct signs_query *query,
                                                               struct best *best, int64_t row, uint64_t rows)
{
    for (; rows; rows &= rows - 1) {
        int64_t one = row + __builtin_ctzll(rows);
        int32_t dot = dot_row(query, table->bits + one * (int64_t)table->base.row_bytes, (int64_t)table->base.row_bytes);
        float score = signs_score(table, query, dot, one);
        if (score > best->threshold)
            best_offer(best, score, one);
    }
}

TARGET_AVX512 INLINE void scan_rows(const struct signs_table *table, const struct signs_query *query, struct scan *scan,
                                    const int words, const int whole, const int scaled)
{
    const int64_t row_bytes = whole ? words * 8 : (int64_t)table->base.row_bytes;
    const struct lookup lookup = make_lookup(query, words, row_bytes);
    const __m512 step = _mm512_set1_ps((float)query->halves.step), offset = _mm512_set1_ps((float)query->halves.offset);
    const __m512 scale = _mm512_set1_ps(query->scale);
    __m512 threshold = _mm512_set1_ps(scan->best->threshold);
    __m512i limit = _mm512_set1_epi32(scaled ? 0 : signs_sum_limit(query, scan->best->threshold));
    int64_t row = scan->first;
    for (; row + 16 <= scan->stop; row += 16) {
        __mmask16 hits = (__mmask16)scan_allowed(scan, row, 16);
        if (!hits)
            continue;
        __m512i sums = sum_rows(table->bits + row * row_bytes, &lookup, words, whole, row_bytes);
        if (scaled) {
            __m512 dots = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_permutexvar_epi32(lookup.order, sums)), step, offset); /* exact */
            __m512 factors = scale;
            if (table->scales.number != NONE)
                factors = _mm512_mul_ps(scale, column_16(&table->scales, row, 0xffff, 1));
            __m512 bounds = _mm512_add_ps(_mm512_mul_ps(factors, dots), column_16(&table->bias, row, 0xffff, 1));
            hits = _mm512_mask_cmp_ps_mask(hits, bounds, threshold, _CMP_GT_OQ);
        } else if (_mm512_cmpgt_epi32_mask(sums, limit)) {
            hits = _mm512_mask_cmpgt_epi32_mask(hits, _mm512_permutexvar_epi32(lookup.order, sums), limit);
        } else {
            continue;
        }
        if (__builtin_expect(hits != 0, 0)) {
            offer_rows(table, query, scan->best, row, hits);
            threshold = _mm512_set1_ps(scan->best->threshold);
            limit = _mm512_set1_epi32(scaled ? 0 : signs_sum_limit(query, scan->best->threshold));
        }
    }
    if (row < scan->stop)
        offer_rows(table, query, scan->best, row, scan_allowed(scan, row, 16));
}

TARGET_AVX512 void signs_scan_avx512(const struct signs_table *table, const struct signs_query *query, struct scan *scan)
{
    const int scaled = table->scales.number != NONE || table->bias.number != NONE;
    if (table->falling || query->words > SIGNS_LOOKED_UP) {
        signs_scan_avx512_wide(table, query, scan);
        return;
    }
    switch (table->base.row_bytes) {
    case 8: scaled ? scan_rows(table, query, scan, 1, 1, 1) : scan_rows(table, query, scan, 1, 1, 0); break;
    case 16: scaled ? scan_rows(table, query, scan, 2, 1, 1) : scan_rows(table, query, scan, 2, 1, 0); break;
    default:
        if (query->words == 1)
            scan_rows(table, query, scan, 1, 0, scaled);
        else
            scan_rows(table, query, scan, 2, 0, scaled);
    }
}
