/* Bounds with SDOT: 4 rows of 4 products an instruction, the query's 4 values taken from a lane. */
#include "shadow_bounds_neon.h"

TARGET_DOTPROD void shadow_bounds_dotprod(const struct shadow_table *table, const struct shadow_query *query, const struct scan *scan,
                                          struct shadow_pool *pool)
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
            const int8x8_t values = vld1_s8(query->codes + 8 * chunk);
            const uint8_t *lines = group + (1 + 2 * chunk) * SHADOW_LINE;
            for (int i = 0; i < 8; i++) {
                uint8x16_t bytes = vld1q_u8(lines + 16 * i);
                dots[i] = vdotq_lane_s32(dots[i], vreinterpretq_s8_u8(vandq_u8(bytes, half)), values, 0);
                dots[i] = vdotq_lane_s32(dots[i], vreinterpretq_s8_u8(vshrq_n_u8(bytes, 4)), values, 1);
            }
        }
        take_group(table, query, scan, pool, group, dots, row, wanted);
    }
}
