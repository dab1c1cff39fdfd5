/* Layout pq: a byte a piece; score = ((t_0 + t_1) + t_2) + ... + bias, where t_j is the query's product with the piece that the
 * row's byte j names, summed in double precision and rounded once. */
#ifndef EDGE_REC_PQ_H
#define EDGE_REC_PQ_H

#include "column.h"
#include "scan.h"
#include "table.h"

#include <stdint.h>

#define PQ_MOST_DIMS 65536

struct pq_table {
    struct table base;
    const uint8_t *codes;          /* [rows, count] */
    struct column codebooks, bias; /* [count, pieces, width]; [rows] */
    int64_t count, pieces, width;  /* every code is below `pieces` */
};

/* A prepared query: float products[count][pieces]. */

extern const struct layout pq_layout;

/* Value i of a piece of a codebook. */
INLINE float pq_value(const struct pq_table *table, int64_t book, int64_t piece, int64_t i)
{
    return column_at(&table->codebooks, (book * table->pieces + piece) * table->width + i);
}

void pq_scan(const struct pq_table *table, const float *products, struct scan *scan);

#endif
