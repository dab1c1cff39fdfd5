/* Hamming distances with NEON, rows of 64 or 128 signs: ones are counted by bytes, and neighbours added until a byte is a row.
 * Other widths are left to plain C, which counts the ones of a word by the same instruction. */
#include "hamming.h"

#include <arm_neon.h>
#include <string.h>

enum { ROWS = 16 };

INLINE uint8x16_t count_16(const uint8_t *bits, uint8x16_t signs, uint8x16_t mask)
{
    return vcntq_u8(vandq_u8(veorq_u8(vld1q_u8(bits), signs), mask));
}

/* The distances of 16 rows; at most 128, and so a byte each. */
INLINE uint8x16_t distances_16(const uint8_t *bits, uint8x16_t signs, uint8x16_t mask, const int words)
{
    uint8x16_t counts[ROWS];
#pragma GCC unroll 16
    for (int i = 0; i < 8 * words; i++)
        counts[i] = count_16(bits + i * 16, signs, mask);
#pragma GCC unroll 4
    for (int left = 4 * words; left > 0; left /= 2)
#pragma GCC unroll 8
        for (int i = 0; i < left; i++)
            counts[i] = vpaddq_u8(counts[2 * i], counts[2 * i + 1]);
    return counts[0];
}

static __attribute__((noinline)) int64_t offer_rows(const struct hamming_table *table, struct best *best, int64_t row, uint64_t wanted,
                                                    uint8x16_t distances)
{
    int64_t limit = hamming_limit(table, best->threshold);
    uint8_t distance[ROWS];
    vst1q_u8(distance, distances);
    for (int i = 0; i < ROWS; i++) {
        if (!(wanted >> i & 1) || distance[i] >= limit)
            continue;
        best_offer(best, hamming_score(table, distance[i]), row + i);
        limit = hamming_limit(table, best->threshold);
    }
    return limit;
}

INLINE void scan_rows(const struct hamming_table *table, const struct hamming_query *query, struct scan *scan, const int words)
{
    uint8_t twice[2][16]; /* the query's bytes, repeated where two rows lie in a vector */
    for (int i = 0; i < 16; i++) {
        twice[0][i] = query->bytes[i % (words * 8)];
        twice[1][i] = hamming_mask(query)[i % (words * 8)];
    }
    const uint8x16_t signs = vld1q_u8(twice[0]), mask = vld1q_u8(twice[1]);
    int64_t limit = hamming_limit(table, scan->best->threshold), row = scan->first;
    for (; row + ROWS <= scan->stop; row += ROWS) {
        uint64_t wanted = scan_allowed(scan, row, ROWS);
        if (!wanted)
            continue;
        uint8x16_t distances = distances_16(table->bits + row * words * 8, signs, mask, words);
        if (__builtin_expect(vminvq_u8(distances) < limit, 0))
            limit = offer_rows(table, scan->best, row, wanted, distances);
    }
    struct scan rest = {scan->allowed, row, scan->stop, scan->best};
    hamming_scan_portable(table, query, &rest);
}

void hamming_scan_neon(const struct hamming_table *table, const struct hamming_query *query, struct scan *scan)
{
    switch (table->base.row_bytes) {
    case 8: scan_rows(table, query, scan, 1); break;
    case 16: scan_rows(table, query, scan, 2); break;
    default: hamming_scan_portable(table, query, scan);
    }
}
