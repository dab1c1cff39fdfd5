/* int4 in plain C. */
#include "int4.h"

INLINE void scan_rows(const struct int4_table *table, const struct int4_query *query, struct scan *scan)
{
    const int64_t row_bytes = (int64_t)table->base.row_bytes;
    const int8_t *const lower = query->codes, *const upper = query->codes + query->halves;
    for (int64_t row = scan->first; row < scan->stop; row++) {
        if (!scan_allows(scan, row))
            continue;
        const uint8_t *codes = table->codes + row * row_bytes;
        int32_t dot = 0; /* of codes with 8 added, which are 0 to 15 */
        for (int64_t i = 0; i < row_bytes; i++) {
            int16_t flipped = codes[i] ^ 0x88;
            dot += (int16_t)((int16_t)(flipped & 15) * lower[i]) + (int16_t)((int16_t)(flipped >> 4) * upper[i]);
        }
        float score = int4_score(table, query, dot - 8 * query->sum, row);
        if (score > scan->best->threshold)
            best_offer(scan->best, score, row);
    }
}

void int4_scan_portable(const struct int4_table *table, const struct int4_query *query, struct scan *scan)
{
    scan_rows(table, query, scan);
}

#if defined(EDGE_REC_X86)
/* The compiler's own vectors, 32 bytes wide. */
TARGET_AVX2 void int4_scan_avx2(const struct int4_table *table, const struct int4_query *query, struct scan *scan)
{
    scan_rows(table, query, scan);
}
#endif
