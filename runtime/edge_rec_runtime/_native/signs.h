/* Signs: one bit a direction, 1 for +1 and 0 for -1; score = (qscale x scale) x (q8 . signs) + bias.
 *
 * Bit j of a row is bit 7 - j % 8 of its byte j // 8. Where every sign is the same bit of a byte or half a byte, what the query
 * adds there can be looked up: the query becomes tables, made once a query. Which tables depends on the kernel.
 */
#ifndef EDGE_REC_SIGNS_H
#define EDGE_REC_SIGNS_H

#include "column.h"
#include "scan.h"
#include "table.h"

#include <stdint.h>

#define SIGNS_MOST_DIMS 65536

enum {
    SIGNS_WORD = 64,   /* signs that are worked on together */
    SIGNS_LOOKED_UP = 4, /* words of a row up to which half bytes are looked up, by AVX-512; */
    SIGNS_LOOKED_UP_FEW = 2, /* by others */
    SIGNS_GROUP = 64,    /* rows that AVX-512 holds against a limit together */
};

struct signs_table {
    struct table base; /* dims: signs a row */
    const uint8_t *bits;
    struct column scales, bias;
    int falling; /* a scale is below 0: the larger dot product is not the larger score */
    /* Made for AVX-512: */
    float *biases;   /* [groups] the largest bias of each */
    uint8_t *shares; /* [groups, SIGNS_GROUP] each scale in 255ths of the largest, rounded up, in the order of signs_avx512.c */
};

/* What every group of 4 signs adds to a row's sum, less the least that it can: rounded up to a multiple where both groups of a byte
 * together would not stay below 256. */
struct signs_halves {
    uint8_t sums[SIGNS_LOOKED_UP * 2][2][64]; /* [4 bytes of a row][upper or lower half][byte, 16 values of the half] */
    int32_t step, offset; /* q8 . signs <= step x (sum of the bytes looked up) + offset, and equal if step is 2; 2, 4 or 8 */
};

struct signs_query {
    float scale;
    int32_t sum; /* of the codes */
    int32_t words;
    struct signs_halves halves;
    char spare[44];
    int8_t codes[]; /* [words, 64] in the order in which the bits of a row are those of a little-endian number; 0 past dims */
    /* then, but for AVX-512: int16_t sums[row_bytes][256], what each byte adds to q8 . signs */
};

extern const struct layout signs_layout;

INLINE const int16_t *signs_bytes(const struct signs_query *query)
{
    return (const int16_t *)(query->codes + (int64_t)query->words * SIGNS_WORD);
}

/* q8 . signs of a row, a byte at a time. */
INLINE int32_t signs_dot(const struct signs_query *query, const uint8_t *bits, int64_t row_bytes)
{
    const int16_t *const sums = signs_bytes(query);
    int32_t dot = 0;
    for (int64_t byte = 0; byte < row_bytes; byte++)
        dot += sums[byte * 256 + bits[byte]];
    return dot;
}

/* One score, in the order in which numpy's reference computes it. */
INLINE float signs_score(const struct signs_table *table, const struct signs_query *query, int32_t dot, int64_t row)
{
    float factor = table->scales.number == NONE ? query->scale : query->scale * column_at(&table->scales, row);
    return factor * (float)dot + column_at(&table->bias, row);
}

typedef void signs_scan(const struct signs_table *table, const struct signs_query *query, struct scan *scan);

signs_scan signs_scan_portable;
#if defined(EDGE_REC_X86)
/* How many bytes what is made for AVX-512 needs, and make it there; scales below 0 count as 0. */
size_t signs_shares_bytes_avx512(const struct signs_table *table);
void signs_make_shares_avx512(struct signs_table *table, void *place);
signs_scan signs_scan_avx2, signs_scan_avx512, signs_scan_avx512_wide;
#elif defined(EDGE_REC_ARM64)
signs_scan signs_scan_neon;
#endif

/* The largest sum of half bytes whose row cannot be above the threshold, where a score is scale x dot; -1 if every row can. */
INLINE int32_t signs_sum_limit(const struct signs_query *query, float threshold)
{
    if (threshold == -INFINITY)
        return -1;
    if (query->scale == 0.0f)
        return INT32_MAX;
    /* Dots are below 2^14, so that the quotient misses the one behind the threshold by far less than a half. */
    int32_t room = (int32_t)rint((double)threshold / (double)query->scale) - query->halves.offset;
    return room < 0 ? -1 : room / query->halves.step;
}

#endif
