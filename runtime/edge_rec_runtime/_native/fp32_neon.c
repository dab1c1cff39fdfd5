/* fp32 and fp16 with NEON: a row's 16 lanes are four registers. */
#include "fp32.h"

#include <arm_neon.h>

INLINE float32x4_t load_4(const struct fp32_table *table, int64_t at, const int half)
{
    if (half)
        return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16((const uint16_t *)table->values + at)));
    return vld1q_f32((const float *)table->values + at);
}

/* (a+c) and (b+d) of a quarter a b c d. */
INLINE float32x2_t fold(float32x4_t quarter)
{
    return vadd_f32(vget_low_f32(quarter), vget_high_f32(quarter));
}

INLINE float score_row(const struct fp32_table *table, const float *query, int64_t row, const int64_t dims, const int half)
{
    const int64_t whole = dims / 16 * 16, start = row * dims;
    float32x4_t lanes[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)};
    for (int64_t i = 0; i < whole; i += 16)
        for (int j = 0; j < 4; j++)
            lanes[j] = vfmaq_f32(lanes[j], load_4(table, start + i + 4 * j, half), vld1q_f32(query + i + 4 * j));
    if (whole < dims) {
        float last[16] = {0};
        for (int64_t i = whole; i < dims; i++)
            last[i - whole] = half ? half_to_float(((const uint16_t *)table->values)[start + i]) : ((const float *)table->values)[start + i];
        for (int j = 0; j < 4; j++)
            lanes[j] = vfmaq_f32(lanes[j], vld1q_f32(last + 4 * j), vld1q_f32(query + whole + 4 * j));
    }
    float32x2_t left = vpadd_f32(fold(lanes[0]), fold(lanes[1])), right = vpadd_f32(fold(lanes[2]), fold(lanes[3]));
    float32x2_t halves = vpadd_f32(left, right);
    return (vget_lane_f32(halves, 0) + vget_lane_f32(halves, 1)) + column_at(&table->bias, row);
}

INLINE void scan_rows(const struct fp32_table *table, const float *query, struct scan *scan, const int64_t dims, const int half)
{
    for (int64_t row = scan->first; row < scan->stop; row++) {
        if (!scan_allows(scan, row))
            continue;
        float score = score_row(table, query, row, dims, half);
        if (__builtin_expect(!(score <= scan->best->threshold) || score < -FLT_MAX, 0))
            fp32_offer(scan, score, row);
    }
}

void fp32_scan_neon(const struct fp32_table *table, const float *query, struct scan *scan)
{
    if (table->half)
        scan_rows(table, query, scan, table->base.dims, 1);
    else if (table->base.dims == 64)
        scan_rows(table, query, scan, 64, 0);
    else
        scan_rows(table, query, scan, table->base.dims, 0);
}

float fp32_score_neon(const struct fp32_table *table, const float *query, int64_t row)
{
    return table->half ? score_row(table, query, row, table->base.dims, 1) : score_row(table, query, row, table->base.dims, 0);
}
