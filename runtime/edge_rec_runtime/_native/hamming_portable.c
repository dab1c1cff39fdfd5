/* Hamming distances in plain C: 64 signs a step, their ones counted in parallel where no instruction counts them. */
#include "hamming.h"

#include <string.h>

/* The first `count` bytes, 1 to 8, as a word; never one beyond them. */
INLINE uint64_t word_at(const uint8_t *bytes, const int64_t count)
{
    uint64_t word = 0;
    uint32_t four = 0;
    uint16_t two = 0;
    if (count == 8) {
        memcpy(&word, bytes, 8);
        return word;
    }
    if (count & 1)
        word = bytes[count - 1];
    if (count & 2) {
        memcpy(&two, bytes + (count & 4), 2);
        word = word << 16 | two;
    }
    if (count & 4) {
        memcpy(&four, bytes, 4);
        word = word << 32 | four;
    }
    return word;
}

/* Ones of a word, by the instruction for it or without: of pairs of bits, of fours, of bytes, and of all by a product. */
INLINE int64_t ones(uint64_t word, const int counted)
{
    if (counted)
        return __builtin_popcountll(word);
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int64_t)(word * UINT64_C(0x0101010101010101) >> 56);
}

INLINE void scan_rows(const struct hamming_table *table, const struct hamming_query *query, struct scan *scan, const int64_t row_bytes,
                      const int counted)
{
    const int64_t whole = row_bytes / 8 * 8;
    const uint8_t *const signs = query->bytes, *const mask = hamming_mask(query);
    int64_t limit = hamming_limit(table, scan->best->threshold);
    for (int64_t row = scan->first; row < scan->stop; row++) {
        if (!scan_allows(scan, row))
            continue;
        const uint8_t *bits = table->bits + row * row_bytes;
        int64_t distance = 0;
        for (int64_t i = 0; i < whole; i += 8)
            distance += ones((word_at(bits + i, 8) ^ word_at(signs + i, 8)) & word_at(mask + i, 8), counted);
        if (whole < row_bytes)
            distance += ones((word_at(bits + whole, row_bytes - whole) ^ word_at(signs + whole, 8)) & word_at(mask + whole, 8), counted);
        if (distance < limit) {
            best_offer(scan->best, hamming_score(table, distance), row);
            limit = hamming_limit(table, scan->best->threshold);
        }
    }
}

void hamming_scan_portable(const struct hamming_table *table, const struct hamming_query *query, struct scan *scan)
{
#if defined(EDGE_REC_ARM64)
    scan_rows(table, query, scan, (int64_t)table->base.row_bytes, 1);
#else
    scan_rows(table, query, scan, (int64_t)table->base.row_bytes, 0);
#endif
}

#if defined(EDGE_REC_X86)
/* With POPCNT, which came before AVX2: a word a cycle, as fast as vectors of 256 bits that have to look half bytes up. */
TARGET_AVX2 void hamming_scan_avx2(const struct hamming_table *table, const struct hamming_query *query, struct scan *scan)
{
    switch (table->base.row_bytes) {
    case 8: scan_rows(table, query, scan, 8, 1); break;
    case 16: scan_rows(table, query, scan, 16, 1); break;
    default: scan_rows(table, query, scan, (int64_t)table->base.row_bytes, 1);
    }
}
#endif
