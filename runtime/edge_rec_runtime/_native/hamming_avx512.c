/* Hamming distances with VPOPCNTDQ, rows of up to 256 signs: 64 bytes an instruction, 64 rows a branch. */
#include "hamming.h"

#include "words_avx512.h"

#include <immintrin.h>

enum { AT_ONCE = 64 }; /* rows */

struct nearby {
    __m512i signs, mask; /* the query's words, again and again */
    struct spread spread;
};

TARGET_AVX512 INLINE struct nearby make_nearby(const struct hamming_query *query, const int words, const int64_t row_bytes)
{
    struct nearby nearby;
    uint8_t signs[64], mask[64];
    for (int i = 0; i < 64; i++) {
        signs[i] = query->bytes[i % (8 * words)];
        mask[i] = hamming_mask(query)[i % (8 * words)];
    }
    nearby.signs = _mm512_loadu_si512(signs);
    nearby.mask = _mm512_loadu_si512(mask);
    nearby.spread = make_spread(words, row_bytes);
    return nearby;
}

/* The next 8 / words rows: in how many signs each of their words differs from the query's. */
TARGET_AVX512 INLINE __m512i count_words(const uint8_t *bits, const struct nearby *nearby, const enum lying lying)
{
    enum { differ_and = 0x28 }; /* (a ^ b) & c */
    __m512i rows = load_words(bits, &nearby->spread, lying);
    return _mm512_popcnt_epi64(_mm512_ternarylogic_epi64(rows, nearby->signs, nearby->mask, differ_and));
}

TARGET_AVX512 INLINE __m512i add_neighbours(__m512i a, __m512i b)
{
    return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

/* The distances of 8 rows, in the order that in_order undoes. */
TARGET_AVX512 INLINE __m512i distances_8(const uint8_t *bits, const struct nearby *nearby, const int words, const enum lying lying,
                                         const int64_t row_bytes)
{
    const int64_t step = 8 / words * row_bytes;
    __m512i a = count_words(bits, nearby, lying);
    if (words == 1)
        return a;
    a = add_neighbours(a, count_words(bits + step, nearby, lying));
    if (words == 2)
        return a;
    __m512i b = add_neighbours(count_words(bits + 2 * step, nearby, lying), count_words(bits + 3 * step, nearby, lying));
    return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xdd));
}

/* Offer those of 64 rows that are still not farther than the limit; return what it has become. */
TARGET_AVX512 static __attribute__((noinline)) int64_t offer_rows(const struct hamming_table *table, struct best *best, int64_t row,
                                                                  uint64_t rows, const int64_t distances[AT_ONCE])
{
    int64_t limit = hamming_limit(table, best->threshold);
    for (; rows; rows &= rows - 1) {
        int i = __builtin_ctzll(rows);
        if (distances[i] > limit)
            continue;
        best_offer(best, hamming_score(table, distances[i]), row + i);
        limit = hamming_limit(table, best->threshold);
    }
    return limit;
}

/* 64 rows: offer those nearer than the limit, or, in the first of two streams, as near; the limit is then what it has become. */
TARGET_AVX512 INLINE void scan_64(const struct hamming_table *table, const struct nearby *nearby, struct scan *scan, int64_t row,
                                  __m512i *limit, const int words, const enum lying lying, const int64_t row_bytes, const int or_equal)
{
    uint64_t wanted = scan_allowed(scan, row, AT_ONCE);
    if (!wanted)
        return;
    const uint8_t *bits = table->bits + row * row_bytes;
    __m512i distances[8], least;
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        distances[i] = distances_8(bits + i * 8 * row_bytes, nearby, words, lying, row_bytes);
        least = i == 0 ? distances[0] : _mm512_min_epu64(least, distances[i]);
    }
    if (__builtin_expect(or_equal ? _mm512_cmple_epu64_mask(least, *limit) != 0 : _mm512_cmplt_epu64_mask(least, *limit) != 0, 0)) {
        uint64_t near = 0;
        int64_t found[AT_ONCE];
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) { /* the distances stay in registers otherwise */
            const __m512i ordered = in_order(distances[i], words);
            _mm512_storeu_si512(found + i * 8, ordered);
            near |= (uint64_t)_mm512_cmple_epi64_mask(ordered, *limit) << (i * 8);
        }
        *limit = _mm512_set1_epi64(offer_rows(table, scan->best, row, near & wanted, found));
    }
}

TARGET_AVX512 INLINE void scan_rows(const struct hamming_table *table, const struct hamming_query *query, struct scan *scan,
                                    const int words, const enum lying lying)
{
    const int64_t row_bytes = bytes_of(lying, words, table->base.row_bytes);
    const struct nearby nearby = make_nearby(query, words, row_bytes);
    __m512i limit = _mm512_set1_epi64(hamming_limit(table, scan->best->threshold));
    int64_t row = scan->first, apart = scan_apart(scan, AT_ONCE, row_bytes);
    for (; row < scan->first + apart; row += AT_ONCE)
        for (int stream = 0; stream < STREAMS; stream++)
            scan_64(table, &nearby, scan, row + stream * apart, &limit, words, lying, row_bytes, stream < STREAMS - 1);
    row += (STREAMS - 1) * apart;
    for (; row + AT_ONCE <= scan->stop; row += AT_ONCE)
        scan_64(table, &nearby, scan, row, &limit, words, lying, row_bytes, 0);
    if (row < scan->stop) {
        struct scan rest = *scan;
        rest.first = row;
        hamming_scan_avx512_wide(table, query, &rest);
    }
}

TARGET_AVX512 void hamming_scan_avx512(const struct hamming_table *table, const struct hamming_query *query, struct scan *scan)
{
    const size_t row_bytes = table->base.row_bytes;
    if (row_bytes > 32)
        hamming_scan_avx512_wide(table, query, scan);
    else if (row_bytes > 16)
        row_bytes == 32 ? scan_rows(table, query, scan, 4, IN_WORDS) : scan_rows(table, query, scan, 4, IN_BYTES);
    else if (row_bytes > 8)
        row_bytes == 16 ? scan_rows(table, query, scan, 2, IN_WORDS) : scan_rows(table, query, scan, 2, IN_BYTES);
    else if (row_bytes == 8 || row_bytes == 4)
        row_bytes == 8 ? scan_rows(table, query, scan, 1, IN_WORDS) : scan_rows(table, query, scan, 1, IN_HALVES);
    else
        scan_rows(table, query, scan, 1, IN_BYTES);
}
