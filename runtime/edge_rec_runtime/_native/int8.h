/* Layout int8: score = (qscale x scale) x (q8 . codes) + bias. */
#ifndef EDGE_REC_INT8_H
#define EDGE_REC_INT8_H

#include "column.h"
#include "scan.h"
#include "table.h"

#include <stdint.h>

/* Sums of products of int8 stay in int32 up to here: 131,072 x 127 x 128 < 2^31. */
#define INT8_MOST_DIMS 131072

struct int8_table {
    struct table base;
    const int8_t *codes; /* [rows, dims], row-major */
    struct column scales, bias;
};

struct int8_query {
    float scale;
    int32_t sum; /* of its codes */
    char spare[56];
    int8_t codes[]; /* [dims] up to whole lines of 64, the rest 0; on a boundary of 64 bytes. Then the same as int16 */
};

/* Dims up to whole lines. */
INLINE int64_t int8_padded(int64_t dims)
{
    return (dims + 63) / 64 * 64;
}

/* The query's codes as int16, [int8_padded(dims)]. */
INLINE const int16_t *int8_wide(const struct int8_query *query, int64_t dims)
{
    return (const int16_t *)(query->codes + int8_padded(dims));
}

extern const struct layout int8_layout;

/* One score, in the order in which numpy's reference computes it. */
INLINE float int8_score(const struct int8_table *table, const struct int8_query *query, int32_t dot, int64_t row)
{
    return (query->scale * column_at(&table->scales, row)) * (float)dot + column_at(&table->bias, row);
}

/* The scores of given rows. */
void int8_score_rows(const struct table *table, const void *prepared, const int64_t *rows, int64_t count, float *scores);

typedef void int8_scan(const struct int8_table *table, const struct int8_query *query, struct scan *scan);

int8_scan int8_scan_portable;
#if defined(EDGE_REC_ARM64)
int8_scan int8_scan_neon, int8_scan_dotprod;
#elif defined(EDGE_REC_X86)
int8_scan int8_scan_avx2, int8_scan_avx512;

/* For at least so many queries, each `stride` bytes after the one before, of up to so many dims; scans of the same rows. */
#define INT8_TILE_QUERIES 4
#define INT8_TILE_DIMS 512
void int8_scan_many_avx512(const struct int8_table *table, const char *prepared, size_t stride, int64_t count, struct scan *scans);
#endif

#endif
