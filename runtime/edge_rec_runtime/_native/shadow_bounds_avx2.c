/* Bounds with AVX2: vpmaddubsw multiplies codes (unsigned) by the query (signed) and adds pairs into 16 bits.
 *
 * A pair is at most 2 x 15 x 127 = 3,810, so eight of them fit: 16-bit sums are widened after every four chunks.
 */
#include "shadow.h"

#include <immintrin.h>

enum { FIT = 4, LANES = 8 };

TARGET_AVX2 INLINE __m256i multiply(__m256i bytes, __m256i for_low, __m256i for_high)
{
    const __m256i half = _mm256_set1_epi8(15);
    __m256i low = _mm256_maddubs_epi16(_mm256_and_si256(bytes, half), for_low);
    __m256i high = _mm256_maddubs_epi16(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), half), for_high);
    return _mm256_add_epi16(low, high);
}

/* The dot products of a group's 32 rows, 8 a register. */
TARGET_AVX2 INLINE void dot_group(const uint8_t *group, const int8_t *codes, const int64_t chunks, __m256i dots[4])
{
    const __m256i ones = _mm256_set1_epi16(1);
    for (int i = 0; i < 4; i++)
        dots[i] = _mm256_setzero_si256();
    for (int64_t start = 0; start < chunks; start += FIT) {
        const int64_t stop = start + FIT < chunks ? start + FIT : chunks;
        __m256i narrow[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
        for (int64_t chunk = start; chunk < stop; chunk++) {
            int32_t values[2];
            memcpy(values, codes + 8 * chunk, 8);
            const __m256i for_low = _mm256_set1_epi32(values[0]), for_high = _mm256_set1_epi32(values[1]);
            const uint8_t *lines = group + (1 + 2 * chunk) * SHADOW_LINE;
#pragma GCC unroll 4
            for (int i = 0; i < 4; i++)
                narrow[i] = _mm256_add_epi16(narrow[i], multiply(_mm256_loadu_si256((const void *)(lines + 32 * i)), for_low, for_high));
        }
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++)
            dots[i] = _mm256_add_epi32(dots[i], _mm256_madd_epi16(narrow[i], ones));
    }
}

TARGET_AVX2 INLINE void scan_groups(const struct shadow_table *table, const struct shadow_query *query, const struct scan *scan,
                                    struct shadow_pool *pool, const int64_t chunks, const int biased)
{
    const __m256i first = _mm256_set1_epi32((int32_t)shadow_first_bits(table));
    const __m256 scale = _mm256_set1_ps(query->scale), per_residual = _mm256_set1_ps(query->per_residual);
    const __m256 constant = _mm256_set1_ps(query->constant), threshold = _mm256_set1_ps(scan->best->threshold);
    for (int64_t row = scan->first; row < scan->stop; row += SHADOW_ROWS) {
        uint32_t wanted = (uint32_t)scan_allowed(scan, row, SHADOW_ROWS), reached = 0;
        if (!wanted)
            continue;
        const uint8_t *group = shadow_group(table, row, chunks);
        const int full = row + SHADOW_ROWS <= scan->stop;
        __m256i dots[4];
        dot_group(group, query->codes, chunks, dots);
        float bounds[SHADOW_ROWS];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            __m256i codes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(group + LANES * i)));
            __m256 step = _mm256_castsi256_ps(_mm256_add_epi32(first, _mm256_slli_epi32(codes, 20)));
            __m256 residual = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(group + SHADOW_ROWS + LANES * i))));
            __m256 rest = _mm256_fmadd_ps(residual, per_residual, constant);
            __m256 bound = _mm256_mul_ps(step, _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[i]), scale, rest));
            if (biased && full)
                bound = _mm256_add_ps(bound, column_8(table->bias, row + LANES * i));
            reached |= (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(bound, threshold, _CMP_GE_OQ)) << (LANES * i);
            _mm256_storeu_ps(bounds + LANES * i, bound);
        }
        if (biased && !full)
            shadow_add_bias(table, bounds, row, scan->stop); /* shadow_take compares */
        else
            wanted &= reached;
        if (__builtin_expect(wanted != 0, 0))
            shadow_take(scan, pool, bounds, row, wanted);
    }
}

TARGET_AVX2 void shadow_bounds_avx2(const struct shadow_table *table, const struct shadow_query *query, const struct scan *scan,
                                    struct shadow_pool *pool)
{
    if (table->bias->number != NONE)
        scan_groups(table, query, scan, pool, table->chunks, 1);
    else if (table->chunks == 8)
        scan_groups(table, query, scan, pool, 8, 0);
    else
        scan_groups(table, query, scan, pool, table->chunks, 0);
}
