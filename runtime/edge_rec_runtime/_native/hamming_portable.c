/* Hamming distances in plain C: 64 signs a step, their ones counted in parallel where no instruction counts them. */
#include "hamming.h"

#include <string.h>

INLINE uint64_t word_at(const uint8_t *bytes, int64_t count)
{
    uint64_t word = 0;
    memcpy(&word, bytes, (size_t)count);
    return word;
}

/* Ones of a word: of pairs of bits, of fours, of bytes, and of all by a product. */
INLINE int64_t ones(uint64_t word)
{
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (int64_t)(word * UINT64_C(0x0101010101010101) >> 56);
}

void hamming_scan_portable(const struct hamming_table *table, const struct hamming_query *query, struct scan *scan)
{
    const int64_t row_bytes = (int64_t)table->base.row_bytes, whole = row_bytes / 8 * 8;
    const uint8_t *const signs = query->bytes, *const mask = hamming_mask(query);
    int64_t limit = hamming_limit(table, scan->best->threshold);
    for (int64_t row = scan->first; row < scan->stop; row++) {
        if (!scan_allows(scan, row))
            continue;
        const uint8_t *bits = table->bits + row * row_bytes;
        int64_t distance = 0;
        for (int64_t i = 0; i < whole; i += 8)
            distance += ones((word_at(bits + i, 8) ^ word_at(signs + i, 8)) & word_at(mask + i, 8));
        if (whole < row_bytes)
            distance += ones((word_at(bits + whole, row_bytes - whole) ^ word_at(signs + whole, 8)) & word_at(mask + whole, 8));
        if (distance < limit) {
            best_offer(scan->best, hamming_score(table, distance), row);
            limit = hamming_limit(table, scan->best->threshold);
        }
    }
}
