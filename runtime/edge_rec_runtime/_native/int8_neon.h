/* int8 on 64-bit Arm, 16 products a step, 4 rows at a time; the step is what NEON and dotprod differ in.
 *
 * Rows that end inside the table's last 16 bytes are left to the portable kernel, so that a row's last step may read beyond
 * it, where the query is 0.
 */
#ifndef EDGE_REC_INT8_NEON_H
#define EDGE_REC_INT8_NEON_H

#include "int8.h"

#include <arm_neon.h>

/* sums + the products of 16 codes, in four lanes. */
typedef int32x4_t int8_step(int32x4_t sums, int8x16_t codes, int8x16_t query);

INLINE float32x4_t column_4(const struct column *column, int64_t row)
{
    if (column->number == NONE)
        return vdupq_n_f32(0);
    if (column->number == HALF)
        return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16((const uint16_t *)column->values + row)));
    return vld1q_f32((const float *)column->values + row);
}

INLINE int32x4_t neon_dot_row(const int8_t *codes, const int8_t *query, const int64_t dims, int8_step *const step)
{
    int32x4_t sums = vdupq_n_s32(0);
#pragma GCC unroll 4
    for (int64_t i = 0; i < dims; i += 16)
        sums = step(sums, vld1q_s8(codes + i), vld1q_s8(query + i));
    return sums;
}

INLINE void neon_scan_block(const struct int8_table *table, const struct int8_query *query, struct scan *scan, int64_t row,
                            unsigned wanted, const int64_t dims, const int or_equal, int8_step *const step)
{
    int32x4_t part[4];
#pragma GCC unroll 4
    for (int64_t i = 0; i < 4; i++)
        part[i] = neon_dot_row(table->codes + (row + i) * dims, query->codes, dims, step);
    int32x4_t dots = vpaddq_s32(vpaddq_s32(part[0], part[1]), vpaddq_s32(part[2], part[3]));
    float32x4_t factors = vmulq_n_f32(column_4(&table->scales, row), query->scale);
    float32x4_t scores = vaddq_f32(vmulq_f32(factors, vcvtq_f32_s32(dots)), column_4(&table->bias, row));
    float32x4_t threshold = vdupq_n_f32(scan->best->threshold);
    uint32x4_t above = or_equal ? vcgeq_f32(scores, threshold) : vcgtq_f32(scores, threshold);
    if (__builtin_expect(vmaxvq_u32(above) == 0, 1))
        return;
    float score[4];
    uint32_t hit[4];
    vst1q_f32(score, scores);
    vst1q_u32(hit, above);
    for (int lane = 0; lane < 4; lane++)
        if (hit[lane] && (wanted >> lane & 1))
            best_offer(scan->best, score[lane], row + lane);
}

/* 16 rows: one look at the filter for four blocks. */
INLINE void neon_scan_16(const struct int8_table *table, const struct int8_query *query, struct scan *scan, int64_t row,
                         const int64_t dims, const int or_equal, int8_step *const step)
{
    unsigned wanted = (unsigned)scan_allowed(scan, row, 16);
    for (int block = 0; block < 16; block += 4)
        if (wanted >> block & 15)
            neon_scan_block(table, query, scan, row + block, wanted >> block & 15, dims, or_equal, step);
}

INLINE void neon_scan_rows(const struct int8_table *table, const struct int8_query *query, struct scan *all, const int64_t dims,
                           int8_step *const step)
{
    struct scan scan = *all; /* without the rows at the table's end */
    int64_t readable = table->base.rows - (dims % 16 ? (15 + dims) / dims : 0);
    if (scan.stop > readable)
        scan.stop = readable > scan.first ? readable : scan.first;
    int64_t half = scan_half(&scan, 16), row = scan.first;
    for (; row < scan.first + half; row += 16) {
        neon_scan_16(table, query, &scan, row, dims, 1, step);
        neon_scan_16(table, query, &scan, row + half, dims, 0, step);
    }
    for (row += half; row + 16 <= scan.stop; row += 16)
        neon_scan_16(table, query, &scan, row, dims, 0, step);
    struct scan rest = {all->allowed, row, all->stop, all->best};
    int8_scan_portable(table, query, &rest);
}

INLINE void neon_scan(const struct int8_table *table, const struct int8_query *query, struct scan *scan, int8_step *const step)
{
    switch (table->base.dims) {
    case 32: neon_scan_rows(table, query, scan, 32, step); break;
    case 64: neon_scan_rows(table, query, scan, 64, step); break;
    case 128: neon_scan_rows(table, query, scan, 128, step); break;
    default: neon_scan_rows(table, query, scan, table->base.dims, step);
    }
}

#endif
