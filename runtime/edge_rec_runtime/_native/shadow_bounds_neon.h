/* What the two Arm paths share: from dot products to bounds, and the loop over groups. */
#ifndef EDGE_REC_SHADOW_BOUNDS_NEON_H
#define EDGE_REC_SHADOW_BOUNDS_NEON_H

#include "shadow.h"

#include <arm_neon.h>

/* The bounds of four rows. */
INLINE float32x4_t bounds_4(const struct shadow_table *table, const struct shadow_query *query, int32x4_t dots, const uint8_t *group, int at)
{
    uint32_t codes[4], residuals[4];
    for (int i = 0; i < 4; i++) {
        codes[i] = (uint32_t)group[at + i] << 20;
        residuals[i] = group[SHADOW_ROWS + at + i];
    }
    uint32x4_t bits = vaddq_u32(vdupq_n_u32(shadow_first_bits(table)), vld1q_u32(codes));
    float32x4_t rest = vfmaq_n_f32(vdupq_n_f32(query->constant), vcvtq_f32_u32(vld1q_u32(residuals)), query->per_residual);
    return vmulq_f32(vreinterpretq_f32_u32(bits), vfmaq_n_f32(rest, vcvtq_f32_s32(dots), query->scale));
}

/* Take those of a group whose bounds, from dot products of 4 rows a register, reach the threshold. */
INLINE void take_group(const struct shadow_table *table, const struct shadow_query *query, const struct scan *scan,
                       struct shadow_pool *pool, const uint8_t *group, const int32x4_t dots[8], int64_t row, uint32_t wanted)
{
    const float32x4_t threshold = vdupq_n_f32(scan->best->threshold);
    float bounds[SHADOW_ROWS];
    uint32x4_t reached = vdupq_n_u32(0);
    for (int i = 0; i < 8; i++) {
        float32x4_t four = bounds_4(table, query, dots[i], group, 4 * i);
        reached = vorrq_u32(reached, vcgeq_f32(four, threshold));
        vst1q_f32(bounds + 4 * i, four);
    }
    const int biased = table->bias->number != NONE;
    if (biased)
        shadow_add_bias(table, bounds, row, scan->stop);
    if (biased || vmaxvq_u32(reached))
        shadow_take(scan, pool, bounds, row, wanted);
}

#endif
