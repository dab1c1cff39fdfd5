/* int8 with SDOT (Armv8.2 dotprod: Cortex-A55, A75, Neoverse N1 and later): sixteen products and their sums in one instruction. */
#include "int8_neon.h"

TARGET_DOTPROD INLINE int32x4_t step(int32x4_t sums, int8x16_t codes, int8x16_t query)
{
    return vdotq_s32(sums, codes, query);
}

TARGET_DOTPROD void int8_scan_dotprod(const struct int8_table *table, const struct int8_query *query, struct scan *scan)
{
    neon_scan(table, query, scan, step);
}
