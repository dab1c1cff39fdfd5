/* Rows decoded to float32 for an encoder's input; each to the bit what numpy's reference gives. */
#ifndef EDGE_REC_GATHER_H
#define EDGE_REC_GATHER_H

#include "table.h"

#include <stdint.h>

/* Write the vectors of rows [count], each inside the table, to out [count, dims]. */
typedef void gather(const struct table *table, const int64_t *rows, int64_t count, float *out);

gather gather_fp32, gather_int8, gather_int4, gather_pq, gather_signs;

#endif
