/* Bounds in plain C. */
#include "shadow.h"

void shadow_bounds_portable(const struct shadow_table *table, const struct shadow_query *query, const struct scan *scan,
                            struct shadow_pool *pool)
{
    for (int64_t row = scan->first; row < scan->stop; row += SHADOW_ROWS) {
        uint32_t wanted = (uint32_t)scan_allowed(scan, row, SHADOW_ROWS);
        if (!wanted)
            continue;
        const uint8_t *group = shadow_group(table, row, table->chunks);
        int32_t dots[SHADOW_ROWS] = {0};
        for (int64_t line = 0; line < 2 * table->chunks; line++) {
            const uint8_t *bytes = group + (1 + line) * SHADOW_LINE;
            const int8_t *values = query->codes + line / 2 * 8;
            int32_t *dot = dots + line % 2 * 16;
            for (int i = 0; i < 16; i++)
                for (int j = 0; j < 4; j++)
                    dot[i] += (bytes[4 * i + j] & 15) * values[j] + (bytes[4 * i + j] >> 4) * values[4 + j];
        }
        float bounds[SHADOW_ROWS];
        for (int i = 0; i < SHADOW_ROWS; i++) {
            uint32_t bits = shadow_first_bits(table) + ((uint32_t)group[i] << 20);
            float step;
            memcpy(&step, &bits, 4);
            float residual = (float)group[SHADOW_ROWS + i] * query->per_residual + query->constant;
            bounds[i] = step * ((float)dots[i] * query->scale + residual);
        }
        if (table->bias->number != NONE)
            shadow_add_bias(table, bounds, row, scan->stop);
        shadow_take(scan, pool, bounds, row, wanted);
    }
}
