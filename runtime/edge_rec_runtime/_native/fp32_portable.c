/* fp32 and fp16 in plain C: 16 sums side by side, which a compiler turns into whatever vectors the baseline has. */
#include "fp32.h"

INLINE float score_row(const struct fp32_table *table, const float *query, int64_t row, const int half)
{
    const int64_t dims = table->base.dims, whole = dims / 16 * 16;
    const float *single = (const float *)table->values + (half ? 0 : row * dims);
    const uint16_t *halves = (const uint16_t *)table->values + (half ? row * dims : 0);
    float lanes[16] = {0};
    for (int64_t i = 0; i < whole; i += 16)
        for (int j = 0; j < 16; j++)
            lanes[j] += (half ? half_to_float(halves[i + j]) : single[i + j]) * query[i + j];
    for (int64_t i = whole; i < dims; i++)
        lanes[i - whole] += (half ? half_to_float(halves[i]) : single[i]) * query[i];
    return fp32_sum_lanes(lanes) + column_at(&table->bias, row);
}

INLINE void scan_rows(const struct fp32_table *table, const float *query, struct scan *scan, const int half)
{
    for (int64_t row = scan->first; row < scan->stop; row++) {
        if (!scan_allows(scan, row))
            continue;
        float score = score_row(table, query, row, half);
        if (!(score <= scan->best->threshold) || score < -FLT_MAX)
            fp32_offer(scan, score, row);
    }
}

void fp32_scan_portable(const struct fp32_table *table, const float *query, struct scan *scan)
{
    if (table->half)
        scan_rows(table, query, scan, 1);
    else
        scan_rows(table, query, scan, 0);
}

float fp32_score_portable(const struct fp32_table *table, const float *query, int64_t row)
{
    return table->half ? score_row(table, query, row, 1) : score_row(table, query, row, 0);
}
