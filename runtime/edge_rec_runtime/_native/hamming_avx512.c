/* Hamming distances with VPOPCNTDQ, rows of up to 128 signs: 8 rows an instruction, 64 rows a branch. */
#include "hamming.h"

#include <immintrin.h>
#include <string.h>

struct nearby {
    __m512i signs[2], mask[2]; /* of either word, 8 times */
    __m512i spread;            /* rows of any width -> rows of whole words, for rows that are not */
    __mmask64 spread_to, loaded;
};

TARGET_AVX512 INLINE struct nearby make_nearby(const struct hamming_query *query, const int words, const int64_t row_bytes)
{
    struct nearby nearby;
    for (int word = 0; word < words; word++) {
        int64_t signs, mask;
        memcpy(&signs, query->bytes + word * 8, 8);
        memcpy(&mask, hamming_mask(query) + word * 8, 8);
        nearby.signs[word] = _mm512_set1_epi64(signs);
        nearby.mask[word] = _mm512_set1_epi64(mask);
    }
    uint8_t from[64] = {0};
    nearby.spread_to = 0;
    for (int i = 0; i < 64; i++) {
        int row = i / (8 * words), byte = i % (8 * words);
        if (byte >= row_bytes)
            continue;
        from[i] = (uint8_t)(row * row_bytes + byte);
        nearby.spread_to |= UINT64_C(1) << i;
    }
    nearby.spread = _mm512_loadu_si512(from);
    nearby.loaded = ~UINT64_C(0) >> (64 - 8 / words * row_bytes);
    return nearby;
}

/* The next 8 / words rows, each in whole words. */
TARGET_AVX512 INLINE __m512i load_rows(const uint8_t *bits, const struct nearby *nearby, const int whole)
{
    if (whole)
        return _mm512_loadu_si512(bits);
    return _mm512_maskz_permutexvar_epi8(nearby->spread_to, nearby->spread, _mm512_maskz_loadu_epi8(nearby->loaded, bits));
}

TARGET_AVX512 INLINE __m512i count_ones(__m512i bits, const struct nearby *nearby, const int word)
{
    enum { differ_and = 0x28 }; /* (a ^ b) & c */
    return _mm512_popcnt_epi64(_mm512_ternarylogic_epi64(bits, nearby->signs[word], nearby->mask[word], differ_and));
}

/* The distances of 8 rows; of two words: row i in lane 2 x i, and row 4 + i in lane 2 x i + 1. */
TARGET_AVX512 INLINE __m512i distances_8(const uint8_t *bits, const struct nearby *nearby, const int words, const int whole,
                                         const int64_t row_bytes)
{
    __m512i a = load_rows(bits, nearby, whole);
    if (words == 1)
        return count_ones(a, nearby, 0);
    __m512i b = load_rows(bits + 4 * row_bytes, nearby, whole);
    return _mm512_add_epi64(count_ones(_mm512_unpacklo_epi64(a, b), nearby, 0), count_ones(_mm512_unpackhi_epi64(a, b), nearby, 1));
}

TARGET_AVX512 static __attribute__((noinline)) int64_t offer_rows(const struct hamming_table *table, struct best *best, int64_t row,
                                                                  uint64_t wanted, const uint64_t distances[64], const int words)
{
    int64_t limit = hamming_limit(table, best->threshold);
    for (; wanted; wanted &= wanted - 1) {
        int i = __builtin_ctzll(wanted), lane = words == 1 ? i : (i & ~7) + (i & 3) * 2 + (i >> 2 & 1);
        if ((int64_t)distances[lane] >= limit)
            continue;
        best_offer(best, hamming_score(table, (int64_t)distances[lane]), row + i);
        limit = hamming_limit(table, best->threshold);
    }
    return limit;
}

TARGET_AVX512 INLINE void scan_rows(const struct hamming_table *table, const struct hamming_query *query, struct scan *scan,
                                    const int words, const int whole)
{
    const int64_t row_bytes = whole ? words * 8 : (int64_t)table->base.row_bytes;
    const struct nearby nearby = make_nearby(query, words, row_bytes);
    __m512i limit = _mm512_set1_epi64(hamming_limit(table, scan->best->threshold));
    int64_t row = scan->first;
    for (; row + 64 <= scan->stop; row += 64) {
        uint64_t wanted = scan_allowed(scan, row, 64);
        if (!wanted)
            continue;
        const uint8_t *bits = table->bits + row * row_bytes;
        __m512i distances[8], least;
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            distances[i] = distances_8(bits + i * 8 * row_bytes, &nearby, words, whole, row_bytes);
            least = i == 0 ? distances[0] : _mm512_min_epu64(least, distances[i]);
        }
        if (__builtin_expect(_mm512_cmplt_epu64_mask(least, limit) != 0, 0)) {
            uint64_t found[64];
            for (int i = 0; i < 8; i++)
                _mm512_storeu_si512(found + i * 8, distances[i]);
            limit = _mm512_set1_epi64(offer_rows(table, scan->best, row, wanted, found, words));
        }
    }
    if (row < scan->stop) {
        struct scan rest = *scan;
        rest.first = row;
        hamming_scan_avx512_wide(table, query, &rest);
    }
}

TARGET_AVX512 void hamming_scan_avx512(const struct hamming_table *table, const struct hamming_query *query, struct scan *scan)
{
    switch (table->base.row_bytes) {
    case 8: scan_rows(table, query, scan, 1, 1); break;
    case 16: scan_rows(table, query, scan, 2, 1); break;
    case 1: case 2: case 3: case 4: case 5: case 6: case 7: scan_rows(table, query, scan, 1, 0); break;
    case 9: case 10: case 11: case 12: case 13: case 14: case 15: scan_rows(table, query, scan, 2, 0); break;
    default: hamming_scan_avx512_wide(table, query, scan);
    }
}
