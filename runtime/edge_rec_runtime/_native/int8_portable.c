/* int8 in plain C, which a compiler turns into whatever vectors the baseline has: what the other kernels are held against. */
#include "int8.h"

void int8_scan_portable(const struct int8_table *table, const struct int8_query *query, struct scan *scan)
{
    const int64_t dims = table->base.dims;
    const int16_t *wide = int8_wide(query, dims); /* products of int16 in pairs are what the baselines of x86 and Arm have */
    for (int64_t row = scan->first; row < scan->stop; row++) {
        if (!scan_allows(scan, row))
            continue;
        const int8_t *codes = table->codes + row * dims;
        int32_t dot = 0;
        for (int64_t i = 0; i < dims; i++)
            dot += (int32_t)(int16_t)codes[i] * wide[i];
        float score = int8_score(table, query, dot, row);
        if (score > scan->best->threshold)
            best_offer(scan->best, score, row);
    }
}
