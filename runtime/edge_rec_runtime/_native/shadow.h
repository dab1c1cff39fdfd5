/* The shadow of a table: 4 bits a value and a bound of what they leave out, so that few rows of the table itself are read.
 *
 * A row x of the table (of layout int8, fp16 or fp32) has a step s, codes u in 0..15, and a residual e = x - s (u - 7.5). For a
 * query q, by Cauchy and Schwarz,
 *
 *     q.x = s q.(u - 7.5) + q.e <= s q.(u - 7.5) + |q| |e|,
 *
 * so a row whose right side is below the K-th best score found so far cannot be among the best K, and is not read. The scan reads
 * half a byte a value; those that remain, some hundreds in a million, get their exact scores from the table. The answer is the
 * full scan's, to the bit, because nothing is left out of the bound:
 *
 *  - Residual. One byte r a row, rounded up: |e| + (d + 16) 2^-22 |x| <= r s sqrt(d) / 500. The second term is more than all
 *    rounding of an exact score before the bias is added: fewer than d / 16 + 8 roundings of 2^-24 each, of sums that are at most
 *    |q| |x|; and for int8 the rounding of the row that was encoded. A step that reaches the row's largest value leaves
 *    |e| <= s sqrt(d) / 2, so r never needs more than 255.
 *  - Query. The dot product is one of whole numbers: q = c v + f with v in [-127, 127]. What f adds, f.x <= |f| |x|, is at most
 *    |f| s w, where w ("spread") is the largest |x| / s of the table. An int8 table defines its scores by v: f is 0.
 *  - Arithmetic of the bound. s (c u.v + (r |q| sqrt(d) / 500 + constant)) is computed in float32 with at most six roundings of
 *    2^-24 each, of numbers whose sizes add up to at most A = c (15 sum|v| + 7.5 |sum v|) + 255 |q| sqrt(d) / 500 + |f| w; the
 *    constant, -7.5 c sum v + |f| w, is raised by 2^-20 A. Steps are floats with three bits of fraction, and exact.
 *  - Bias. It is added to the bound as it is to the score, after everything else; rounding keeps the order of sums, so a bound
 *    that was not below the score stays so.
 *  - Ties. A row is passed over only if its bound is below the K-th best score, never at equality.
 *  - Extremes. Where a product could leave the normal floats the query is answered by the full scan (see shadow.c).
 *
 * Groups of 32 rows are read in order, each one a line of 64 bytes (32 steps, 32 residuals) and then for every 8 values two lines,
 * rows 0 to 15 and 16 to 31: 4 bytes a row, byte j with value j in its low and value 4 + j in its high half.
 */
#ifndef EDGE_REC_SHADOW_H
#define EDGE_REC_SHADOW_H

#include "column.h"
#include "scan.h"
#include "table.h"

#include <stdint.h>

enum { SHADOW_ROWS = 32, SHADOW_LINE = 64 };

struct shadow_table {
    struct table base;
    const struct table *exact; /* the table that this is the shadow of */
    const char *exact_rows;    /* its rows, to be fetched ahead of their scores */
    const struct column *bias; /* its bias */
    const uint8_t *groups;     /* [groups, (2 x chunks + 1) x 64] */
    int64_t chunks;            /* of 8 values each */
    float first_step;          /* the step of code 0; that of code b has b x 2^20 more in its bits: 8 steps an octave */
    float spread;
    int64_t rows_per_result; /* with fewer rows a result that is asked for, the full scan is faster */
};

struct shadow_query {
    float scale, per_residual, constant;
    int usable; /* 0: the bound does not hold, the full scan answers */
    char spare[48];
    int8_t codes[]; /* [chunks x 8], the rest of the last chunk 0 */
};

/* Rows whose bound was not below the threshold, as keys (see best.h) of their bounds. */
struct shadow_pool {
    uint64_t *keys;
    int64_t count;
};

/* Put the allowed rows of scan->first .. scan->stop whose bounds reach scan->best->threshold into the pool. */
typedef void shadow_bounds(const struct shadow_table *table, const struct shadow_query *query, const struct scan *scan,
                           struct shadow_pool *pool);

shadow_bounds shadow_bounds_portable;
#if defined(EDGE_REC_X86)
shadow_bounds shadow_bounds_avx2, shadow_bounds_avx512;
#elif defined(EDGE_REC_ARM64)
shadow_bounds shadow_bounds_neon, shadow_bounds_dotprod;
#endif

extern const struct layout shadow_layout;

INLINE const uint8_t *shadow_group(const struct shadow_table *table, int64_t row, const int64_t chunks)
{
    return table->groups + row / SHADOW_ROWS * (2 * chunks + 1) * SHADOW_LINE;
}

INLINE uint32_t shadow_first_bits(const struct shadow_table *table)
{
    uint32_t bits;
    memcpy(&bits, &table->first_step, 4);
    return bits;
}

/* The step of code 255. */
INLINE float shadow_last_step(const struct shadow_table *table)
{
    float step;
    uint32_t bits = shadow_first_bits(table) + (255u << 20);
    memcpy(&step, &bits, 4);
    return step;
}

/* Add the biases of 32 rows, or of those before `stop`, to their bounds. */
INLINE void shadow_add_bias(const struct shadow_table *table, float bounds[SHADOW_ROWS], int64_t row, int64_t stop)
{
    for (int i = 0; i < SHADOW_ROWS && row + i < stop; i++)
        bounds[i] += column_at(table->bias, row + i);
}

/* Add those of 32 rows to the pool that are wanted and whose bounds reach the threshold. */
static __attribute__((noinline, unused)) void shadow_take(const struct scan *scan, struct shadow_pool *pool,
                                                          const float bounds[SHADOW_ROWS], int64_t row, uint32_t wanted)
{
    for (; wanted; wanted &= wanted - 1) {
        int i = __builtin_ctz(wanted);
        if (bounds[i] >= scan->best->threshold)
            pool->keys[pool->count++] = (uint64_t)ordered_int(ordered_float(bounds[i])) << 32 | (uint32_t)~(uint32_t)(row + i);
    }
}

#endif
