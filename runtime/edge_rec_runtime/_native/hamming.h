/* Hamming: the signs of a query against the signs of rows; score = dims - 2 x distance, what the signs' inner product is. */
#ifndef EDGE_REC_HAMMING_H
#define EDGE_REC_HAMMING_H

#include "scan.h"
#include "table.h"

#include <stdint.h>

#define HAMMING_MOST_DIMS 65536

struct hamming_table {
    struct table base; /* dims: signs a row */
    const uint8_t *bits;
};

/* Bytes of the query's signs, and of a mask of those that count, each up to whole lines of 64; 0 past them. */
struct hamming_query {
    int64_t line; /* bytes of either */
    char spare[56];
    uint8_t bytes[]; /* [line] signs, [line] mask */
};

extern const struct layout hamming_layout;

INLINE const uint8_t *hamming_mask(const struct hamming_query *query)
{
    return query->bytes + query->line;
}

INLINE float hamming_score(const struct hamming_table *table, int64_t distance)
{
    return (float)(table->base.dims - 2 * distance);
}

/* Rows at this distance or farther are not above the threshold. */
INLINE int64_t hamming_limit(const struct hamming_table *table, float threshold)
{
    return threshold == -INFINITY ? table->base.dims + 1 : (table->base.dims - (int64_t)threshold) / 2;
}

typedef void hamming_scan(const struct hamming_table *table, const struct hamming_query *query, struct scan *scan);

hamming_scan hamming_scan_portable;
#if defined(EDGE_REC_X86)
hamming_scan hamming_scan_avx2, hamming_scan_avx512, hamming_scan_avx512_wide;
#elif defined(EDGE_REC_ARM64)
hamming_scan hamming_scan_neon;
#endif

#endif
