/* int8 for a batch, with VNNI: the table is read once, and no sums are taken across a vector.
 *
 * 64 rows at a time are turned into a tile: their bytes in groups of 4 dims x 16 rows, so that a step multiplies one broadcast
 * group of the query by 16 rows and adds to the sums of 16 rows. Turning costs as much as the shuffles that one query would need,
 * and serves all. Four queries at once keep 16 sums in registers, and each line of the tile is loaded once for the four.
 */
#include "int8.h"

#include <immintrin.h>

enum { TILE_ROWS = 64, BLOCKS = TILE_ROWS / 16, TOGETHER = 4 };

struct tile {
    __m512i codes[INT8_TILE_DIMS / 4][BLOCKS]; /* [groups of 4 dims, blocks of 16 rows], codes + 128 */
    float scales[TILE_ROWS], bias[TILE_ROWS];
    int64_t first;
};

/* 16 rows of 16 groups -> 16 groups of 16 rows. */
TARGET_AVX512 INLINE void turn(const __m512i row[16], __m512i *out, const int stride)
{
    __m512i pairs[16], fours[16];
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
        pairs[i] = _mm512_unpacklo_epi32(row[i], row[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_epi32(row[i], row[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        fours[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
        fours[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
        fours[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
        fours[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
    }
    /* quarter q of fours[4 i + j] is group 4 q + j of rows 4 i to 4 i + 3 */
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        __m512i even = _mm512_shuffle_i32x4(fours[j], fours[4 + j], 0x88), odd = _mm512_shuffle_i32x4(fours[j], fours[4 + j], 0xdd);
        __m512i even_2 = _mm512_shuffle_i32x4(fours[8 + j], fours[12 + j], 0x88);
        __m512i odd_2 = _mm512_shuffle_i32x4(fours[8 + j], fours[12 + j], 0xdd);
        out[j * stride] = _mm512_shuffle_i32x4(even, even_2, 0x88);
        out[(4 + j) * stride] = _mm512_shuffle_i32x4(odd, odd_2, 0x88);
        out[(8 + j) * stride] = _mm512_shuffle_i32x4(even, even_2, 0xdd);
        out[(12 + j) * stride] = _mm512_shuffle_i32x4(odd, odd_2, 0xdd);
    }
}

/* Rows first .. stop, at most 64; places after them repeat the last one. */
TARGET_AVX512 static void fill(struct tile *tile, const struct int8_table *table, int64_t first, int64_t stop)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    const int64_t dims = table->base.dims;
    tile->first = first;
    for (int block = 0; block < BLOCKS; block++) {
        for (int64_t line = 0; line < dims; line += 64) {
            __mmask64 present = dims - line < 64 ? ~UINT64_C(0) >> (64 - (dims - line)) : ~UINT64_C(0);
            __m512i row[16];
#pragma GCC unroll 16
            for (int64_t i = 0; i < 16; i++) {
                int64_t at = first + block * 16 + i < stop ? first + block * 16 + i : stop - 1;
                row[i] = _mm512_xor_si512(flip, _mm512_maskz_loadu_epi8(present, table->codes + at * dims + line));
            }
            turn(row, &tile->codes[line / 4][block], BLOCKS);
        }
        int64_t left = stop - first - block * 16;
        __mmask16 present = left >= 16 ? 0xffff : left > 0 ? (__mmask16)((1u << left) - 1) : 0;
        _mm512_storeu_ps(tile->scales + block * 16, column_16(&table->scales, first + block * 16, present, 0));
        _mm512_storeu_ps(tile->bias + block * 16, column_16(&table->bias, first + block * 16, present, 0));
    }
}

/* Offer what of 16 rows is above a query's threshold. */
TARGET_AVX512 INLINE void offer(const struct tile *tile, int block, __m512i dots, const struct int8_query *query, struct scan *scan,
                                uint64_t wanted)
{
    __m512 factors = _mm512_mul_ps(_mm512_set1_ps(query->scale), _mm512_loadu_ps(tile->scales + block * 16));
    __m512 scores = _mm512_add_ps(_mm512_mul_ps(factors, _mm512_cvtepi32_ps(dots)), _mm512_loadu_ps(tile->bias + block * 16));
    __m512 threshold = _mm512_set1_ps(scan->best->threshold);
    __mmask16 hits = _mm512_mask_cmp_ps_mask((__mmask16)(wanted >> (block * 16)), scores, threshold, _CMP_GT_OQ);
    if (__builtin_expect(hits != 0, 0)) {
        float score[16];
        _mm512_storeu_ps(score, scores);
        for (; hits; hits &= (__mmask16)(hits - 1)) {
            int lane = __builtin_ctz(hits);
            best_offer(scan->best, score[lane], tile->first + block * 16 + lane);
        }
    }
}

/* A tile against `many` queries, 1 or TOGETHER. */
TARGET_AVX512 INLINE void score(const struct tile *tile, const struct int8_query *const queries[], struct scan *scans, int64_t groups,
                                uint64_t wanted, const int many)
{
    __m512i sums[TOGETHER][BLOCKS];
#pragma GCC unroll 4
    for (int i = 0; i < many; i++)
#pragma GCC unroll 4
        for (int block = 0; block < BLOCKS; block++)
            sums[i][block] = _mm512_set1_epi32((int32_t)(-128u * (uint32_t)queries[i]->sum));
    int64_t group = 0;
    do { /* at least one: a loop that may run never costs GCC a copy of every sum */
        __m512i codes[BLOCKS];
#pragma GCC unroll 4
        for (int block = 0; block < BLOCKS; block++)
            codes[block] = tile->codes[group][block];
#pragma GCC unroll 4
        for (int i = 0; i < many; i++) {
            __m512i factors = _mm512_set1_epi32(((const int32_t *)queries[i]->codes)[group]);
#pragma GCC unroll 4
            for (int block = 0; block < BLOCKS; block++)
                sums[i][block] = _mm512_dpbusd_epi32(sums[i][block], codes[block], factors);
        }
    } while (++group < groups);
#pragma GCC unroll 4
    for (int i = 0; i < many; i++)
#pragma GCC unroll 4
        for (int block = 0; block < BLOCKS; block++)
            offer(tile, block, sums[i][block], queries[i], &scans[i], wanted);
}

TARGET_AVX512 void int8_scan_many_avx512(const struct int8_table *table, const char *prepared, size_t stride, int64_t count,
                                         struct scan *scans)
{
    struct tile tile;
    const int64_t first = scans->first, stop = scans->stop, groups = (table->base.dims + 3) / 4;
    for (int64_t row = first; row < stop; row += TILE_ROWS) {
        uint64_t wanted = scan_allowed(scans, row, TILE_ROWS);
        if (!wanted)
            continue;
        fill(&tile, table, row, row + TILE_ROWS < stop ? row + TILE_ROWS : stop);
        int64_t i = 0;
        for (; i < count; i += i + TOGETHER <= count ? TOGETHER : 1) {
            const struct int8_query *queries[TOGETHER];
            for (int j = 0; j < TOGETHER; j++)
                queries[j] = (const struct int8_query *)(prepared + (size_t)(i + j < count ? i + j : i) * stride);
            if (i + TOGETHER <= count)
                score(&tile, queries, scans + i, groups, wanted, TOGETHER);
            else
                score(&tile, queries, scans + i, groups, wanted, 1);
        }
    }
}
