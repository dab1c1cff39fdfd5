/* A query rounded to whole numbers in [-127, 127], as the layouts of integers define it. */
#ifndef EDGE_REC_QUERY_H
#define EDGE_REC_QUERY_H

#include <stdint.h>

/* Round query [dims] to codes [dims] by scale = max|q| / 127, half to even; a query of zeros, or one whose scale underflows to 0,
 * gives codes 0 and scale 0. Returns 0 if a value is NaN or infinite. */
int query_round(const float *query, int64_t dims, int8_t *codes, float *scale);

#endif
