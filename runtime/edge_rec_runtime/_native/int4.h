/* Layout int4: two codes a byte, the first in its lower half, in two's complement; score = (qscale x scale) x (q8 . codes) + bias. */
#ifndef EDGE_REC_INT4_H
#define EDGE_REC_INT4_H

#include "column.h"
#include "scan.h"
#include "table.h"

#include <stdint.h>

#define INT4_MOST_DIMS 131072 /* sums stay far inside int32 */

struct int4_table {
    struct table base; /* row_bytes: half the dims, rounded up */
    const uint8_t *codes;
    struct column scales, bias;
};

struct int4_query {
    float scale;
    int32_t sum;    /* of its codes */
    int64_t halves; /* codes of either kind: row_bytes up to whole lines of 64 */
    char spare[48];
    int8_t codes[]; /* [halves] those for lower halves of bytes, then [halves] those for upper halves; 0 past dims */
};

extern const struct layout int4_layout;

/* Code i of a row. */
INLINE int int4_code(const uint8_t *codes, int64_t i)
{
    return (int)((codes[i / 2] >> (i % 2 * 4) & 15) ^ 8) - 8;
}

/* One score, in the order in which numpy's reference computes it. */
INLINE float int4_score(const struct int4_table *table, const struct int4_query *query, int32_t dot, int64_t row)
{
    return (query->scale * column_at(&table->scales, row)) * (float)dot + column_at(&table->bias, row);
}

typedef void int4_scan(const struct int4_table *table, const struct int4_query *query, struct scan *scan);

int4_scan int4_scan_portable;
#if defined(EDGE_REC_X86)
int4_scan int4_scan_avx2, int4_scan_avx512;
#endif

#endif
