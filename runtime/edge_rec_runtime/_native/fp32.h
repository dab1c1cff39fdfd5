/* Layouts fp32 and fp16: score = q . v + bias, in float32; values of float16 are widened first, which is exact.
 *
 * Every path adds in one order, so that a row has the same score wherever it is scored: lane j of 16 takes the products of the
 * values j, j + 16, j + 32, ... one after the other, and then, of the lanes a to p, ((a+c)+(b+d)) + ((e+g)+(f+h)) is added to
 * ((i+k)+(j+l)) + ((m+o)+(n+p)). Vector paths round a product and its sum together (fused), the portable one rounds both; scores
 * of different paths so differ in their last bits.
 */
#ifndef EDGE_REC_FP32_H
#define EDGE_REC_FP32_H

#include "column.h"
#include "scan.h"
#include "table.h"

#include <float.h>
#include <stdint.h>

#define FP32_MOST_DIMS 131072

struct fp32_table {
    struct table base;
    const void *values; /* [rows, dims] float, or uint16_t where half is set; row-major */
    int half;
    struct column bias;
};

/* A prepared query: float [dims] up to whole lines of 16, the rest 0, on a boundary of 64 bytes. */

extern const struct layout fp32_layout;

/* Offer a score that was above the threshold or is not finite. The latter is offered as infinity: it comes out first, and the
 * search refuses. Nothing is read ahead to find such values, and none is passed over. */
INLINE void fp32_offer(struct scan *scan, float score, int64_t row)
{
    best_offer(scan->best, score >= -FLT_MAX && score <= FLT_MAX ? score : INFINITY, row);
}

/* The sum of 16 lanes in the order above. */
INLINE float fp32_sum_lanes(const float lanes[16])
{
    float quarter[4];
    for (int i = 0; i < 4; i++)
        quarter[i] = (lanes[4 * i] + lanes[4 * i + 2]) + (lanes[4 * i + 1] + lanes[4 * i + 3]);
    return (quarter[0] + quarter[1]) + (quarter[2] + quarter[3]);
}

typedef void fp32_scan(const struct fp32_table *table, const float *query, struct scan *scan);
typedef float fp32_score(const struct fp32_table *table, const float *query, int64_t row);

fp32_scan fp32_scan_portable;
fp32_score fp32_score_portable;
#if defined(EDGE_REC_X86)
fp32_scan fp32_scan_avx2, fp32_scan_avx512;
fp32_score fp32_score_avx2, fp32_score_avx512;
#elif defined(EDGE_REC_ARM64)
fp32_scan fp32_scan_neon;
fp32_score fp32_score_neon;
#endif

#endif
