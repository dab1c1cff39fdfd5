/* Signs with NEON, rows of 64 or 128: half bytes are looked up, 16 at a time, 16 rows at a time.
 *
 * TBL looks half bytes up in a table of 16. LD4 and UZP turn 16 rows into vectors that hold the same byte of each, and each of its
 * halves has a table. Of two numbers looked up the mean, rounded up, is added in 16 bits. That bounds a row's score from above, as
 * in signs_avx512.c, and those whose bound passes the threshold are scored exactly. Other widths are left to plain C, which
 * looks whole bytes up.
 */
#include "signs.h"

#include <arm_neon.h>
#include <string.h>

enum { ROWS = 16 };

INLINE uint8x16_t mean_of(const struct signs_halves *halves, const int byte, uint8x16_t bytes)
{
    const uint8_t(*tables)[64] = halves->sums[byte / 4];
    uint8x16_t high = vqtbl1q_u8(vld1q_u8(tables[0] + byte % 4 * 16), vshrq_n_u8(bytes, 4));
    uint8x16_t low = vqtbl1q_u8(vld1q_u8(tables[1] + byte % 4 * 16), vandq_u8(bytes, vdupq_n_u8(15)));
    return vrhaddq_u8(high, low);
}

INLINE void add(uint16x8_t sums[2], uint8x16_t bytes)
{
    sums[0] = vaddw_u8(sums[0], vget_low_u8(bytes));
    sums[1] = vaddw_high_u8(sums[1], bytes);
}

/* The sums of rows 0 to 7 and 8 to 15. LD4 gives bytes i, i + 4, i + 8, ...: of 8-byte rows, i and 4 + i by turns. */
INLINE void sum_rows(const struct signs_halves *halves, const uint8_t *bits, const int words, uint16x8_t sums[2])
{
    sums[0] = sums[1] = vdupq_n_u16(0);
    if (words == 1) {
        uint8x16x4_t a = vld4q_u8(bits), b = vld4q_u8(bits + 64);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            add(sums, mean_of(halves, i, vuzp1q_u8(a.val[i], b.val[i])));
            add(sums, mean_of(halves, 4 + i, vuzp2q_u8(a.val[i], b.val[i])));
        }
        return;
    }
    uint8x16x4_t a = vld4q_u8(bits), b = vld4q_u8(bits + 64), c = vld4q_u8(bits + 128), d = vld4q_u8(bits + 192);
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        uint8x16_t even_ab = vuzp1q_u8(a.val[i], b.val[i]), odd_ab = vuzp2q_u8(a.val[i], b.val[i]);
        uint8x16_t even_cd = vuzp1q_u8(c.val[i], d.val[i]), odd_cd = vuzp2q_u8(c.val[i], d.val[i]);
        add(sums, mean_of(halves, i, vuzp1q_u8(even_ab, even_cd)));
        add(sums, mean_of(halves, 8 + i, vuzp2q_u8(even_ab, even_cd)));
        add(sums, mean_of(halves, 4 + i, vuzp1q_u8(odd_ab, odd_cd)));
        add(sums, mean_of(halves, 12 + i, vuzp2q_u8(odd_ab, odd_cd)));
    }
}

/* Score exactly those rows whose bound, by the roundings of the score itself, is above the threshold. */
static __attribute__((noinline)) void offer_rows(const struct signs_table *table, const struct signs_query *query, struct best *best,
                                                 int64_t row, uint64_t wanted, const uint16x8_t sums[2])
{
    const int64_t row_bytes = (int64_t)table->base.row_bytes;
    uint16_t sum[ROWS];
    vst1q_u16(sum, sums[0]);
    vst1q_u16(sum + 8, sums[1]);
    for (int i = 0; i < ROWS; i++) {
        int32_t bound = 2 * query->halves.step * sum[i] + query->halves.offset;
        if (!(wanted >> i & 1) || signs_score(table, query, bound, row + i) <= best->threshold)
            continue;
        float score = signs_score(table, query, signs_dot(query, table->bits + (row + i) * row_bytes, row_bytes), row + i);
        if (score > best->threshold)
            best_offer(best, score, row + i);
    }
}

/* Whether a bound of 16 rows is above the threshold; float16 columns are widened by instructions. */
INLINE float32x4_t column_4(const struct column *column, int64_t row)
{
    if (column->number == HALF)
        return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16((const uint16_t *)column->values + row)));
    return vld1q_f32((const float *)column->values + row);
}

INLINE uint32x4_t above_4(const struct signs_table *table, const struct signs_query *query, uint16x4_t sums, int64_t row,
                          float threshold)
{
    uint32x4_t twice = vmull_n_u16(sums, (uint16_t)(2 * query->halves.step));
    float32x4_t dots = vcvtq_f32_s32(vaddq_s32(vreinterpretq_s32_u32(twice), vdupq_n_s32(query->halves.offset)));
    float32x4_t factors = vdupq_n_f32(query->scale);
    if (table->scales.number != NONE)
        factors = vmulq_f32(factors, column_4(&table->scales, row));
    float32x4_t bounds = vmulq_f32(factors, dots);
    if (table->bias.number != NONE)
        bounds = vaddq_f32(bounds, column_4(&table->bias, row));
    return vcgtq_f32(bounds, vdupq_n_f32(threshold));
}

INLINE int any_above(const struct signs_table *table, const struct signs_query *query, const uint16x8_t sums[2], int64_t row,
                     float threshold)
{
    uint32x4_t above = vorrq_u32(above_4(table, query, vget_low_u16(sums[0]), row, threshold),
                                 above_4(table, query, vget_high_u16(sums[0]), row + 4, threshold));
    above = vorrq_u32(above, above_4(table, query, vget_low_u16(sums[1]), row + 8, threshold));
    above = vorrq_u32(above, above_4(table, query, vget_high_u16(sums[1]), row + 12, threshold));
    return vmaxvq_u32(above) != 0;
}

INLINE void scan_rows(const struct signs_table *table, const struct signs_query *query, struct scan *scan, const int words,
                      const int scaled)
{
    int64_t row = scan->first;
    int32_t limit = signs_sum_limit(query, scan->best->threshold);
    for (; row + ROWS <= scan->stop; row += ROWS) {
        uint64_t wanted = scan_allowed(scan, row, ROWS);
        if (!wanted)
            continue;
        uint16x8_t sums[2];
        sum_rows(&query->halves, table->bits + row * words * 8, words, sums);
        /* Twice a sum at the limit or below is no hit. */
        int hit = scaled ? any_above(table, query, sums, row, scan->best->threshold)
                         : (int32_t)vmaxvq_u16(vmaxq_u16(sums[0], sums[1])) > (limit < 0 ? -1 : limit / 2);
        if (__builtin_expect(hit, 0)) {
            offer_rows(table, query, scan->best, row, wanted, sums);
            limit = signs_sum_limit(query, scan->best->threshold);
        }
    }
    struct scan rest = {scan->allowed, row, scan->stop, scan->best};
    signs_scan_portable(table, query, &rest);
}

void signs_scan_neon(const struct signs_table *table, const struct signs_query *query, struct scan *scan)
{
    const int scaled = table->scales.number != NONE || table->bias.number != NONE;
    const int64_t row_bytes = (int64_t)table->base.row_bytes;
    if (table->falling || (row_bytes != 8 && row_bytes != 16))
        signs_scan_portable(table, query, scan);
    else if (row_bytes == 8)
        scaled ? scan_rows(table, query, scan, 1, 1) : scan_rows(table, query, scan, 1, 0);
    else
        scan_rows(table, query, scan, 2, scaled);
}
