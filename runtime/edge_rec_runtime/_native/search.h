/* Top-K of a table for one or several queries. */
#ifndef EDGE_REC_SEARCH_H
#define EDGE_REC_SEARCH_H

#include "table.h"

#include <stdint.h>

struct search {
    const float *queries; /* [batch, dims] */
    int64_t batch, k;     /* 1 <= k */
    const uint8_t *allowed; /* see struct scan */
    int threads;
    int64_t *rows;  /* [batch, k] out: of each row of it the first `found` are written */
    float *scores;  /* [batch, k] out */
    int64_t found;  /* out */
};

enum searched { SEARCHED, SEARCH_NOT_FINITE, SEARCH_TOO_LARGE, SEARCH_NO_MEMORY };

enum searched search_table(const struct table *table, struct search *search);

#endif
