/* What every layout is to the search: rows that a prepared query is scanned over. Nothing of Python is known here. */
#ifndef EDGE_REC_TABLE_H
#define EDGE_REC_TABLE_H

#include "cpu.h"
#include "scan.h"

#include <stddef.h>
#include <stdint.h>

struct table;

/* Whether a query can be answered. */
enum prepared {
    PREPARED,
    NOT_FINITE, /* it holds NaN or infinity */
    TOO_LARGE,  /* its scores may leave float32 */
};

struct layout {
    /* Bytes of a prepared query; a multiple of 64. */
    size_t (*query_bytes)(const struct table *table);
    /* Bring a query [dims] into the form that the scan wants; `prepared` lies on a boundary of 64 bytes. */
    enum prepared (*prepare)(const struct table *table, const float *query, void *prepared);
    /* Offer every allowed row of scan->first .. scan->stop to scan->best. */
    void (*scan)(const struct table *table, const void *prepared, struct scan *scan);
    /* The same rows for several queries, scans[i] for the query at prepared + i * query_bytes; NULL: one after the other. */
    void (*scan_many)(const struct table *table, const void *prepared, int64_t count, struct scan *scans);
    /* The scores of given rows, the same bits that a scan finds; NULL where no other layout asks for them. */
    void (*score_rows)(const struct table *table, const void *prepared, const int64_t *rows, int64_t count, float *scores);
    /* Write the vectors of given rows, each inside the table, to out [count, dims]; NULL where it has none. */
    void (*gather)(const struct table *table, const int64_t *rows, int64_t count, float *out);
    /* The table that answers such a call best; NULL: this one, always. */
    const struct table *(*best_for)(const struct table *table, int64_t batch, int64_t k);
};

/* The first member of every layout's own struct. */
struct table {
    const struct layout *layout;
    enum level level;
    int64_t rows, dims;
    size_t row_bytes; /* what a scan reads for a row */
};


#endif
