/* Bounds with NEON: products of bytes widened to 16 bits, pairs added into 32. */
#include "shadow_bounds_neon.h"

/* Four rows more of 4 products each: [4 rows x 4 bytes] . the query's 4 values. */
INLINE int32x4_t dot_4(int32x4_t sums, int8x16_t codes, int8x16_t values)
{
    int16x8_t first = vmull_s8(vget_low_s8(codes), vget_low_s8(values)), second = vmull_high_s8(codes, values);
    return vaddq_s32(sums, vpaddq_s32(vpaddlq_s16(first), vpaddlq_s16(second)));
}

void shadow_bounds_neon(const struct shadow_table *table, const struct shadow_query *query, const struct scan *scan, struct shadow_pool *pool)
{
    const uint8x16_t half = vdupq_n_u8(15);
    for (int64_t row = scan->first; row < scan->stop; row += SHADOW_ROWS) {
        uint32_t wanted = (uint32_t)scan_allowed(scan, row, SHADOW_ROWS);
        if (!wanted)
            continue;
        const uint8_t *group = shadow_group(table, row, table->chunks);
        int32x4_t dots[8];
        for (int i = 0; i < 8; i++)
            dots[i] = vdupq_n_s32(0);
        for (int64_t chunk = 0; chunk < table->chunks; chunk++) {
            int32_t values[2];
            memcpy(values, query->codes + 8 * chunk, 8);
            const int8x16_t for_low = vreinterpretq_s8_s32(vdupq_n_s32(values[0])), for_high = vreinterpretq_s8_s32(vdupq_n_s32(values[1]));
            const uint8_t *lines = group + (1 + 2 * chunk) * SHADOW_LINE;
            for (int i = 0; i < 8; i++) {
                uint8x16_t bytes = vld1q_u8(lines + 16 * i);
                dots[i] = dot_4(dots[i], vreinterpretq_s8_u8(vandq_u8(bytes, half)), for_low);
                dots[i] = dot_4(dots[i], vreinterpretq_s8_u8(vshrq_n_u8(bytes, 4)), for_high);
            }
        }
        take_group(table, query, scan, pool, group, dots, row, wanted);
    }
}
