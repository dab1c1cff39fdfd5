/* int8 with NEON as every 64-bit Arm has it: products in 16 bits, two to a sum (2 x 127 x 128 < 2^15), pairs added to 32 bits. */
#include "int8_neon.h"

INLINE int32x4_t step(int32x4_t sums, int8x16_t codes, int8x16_t query)
{
    int16x8_t products = vmull_s8(vget_low_s8(codes), vget_low_s8(query));
    return vpadalq_s16(sums, vmlal_s8(products, vget_high_s8(codes), vget_high_s8(query)));
}

void int8_scan_neon(const struct int8_table *table, const struct int8_query *query, struct scan *scan)
{
    neon_scan(table, query, scan, step);
}
