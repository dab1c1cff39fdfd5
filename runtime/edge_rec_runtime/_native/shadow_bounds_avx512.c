/* Bounds with VNNI: a line of codes is two steps of vpdpbusd, one for the low halves of its bytes and one for the high.
 *
 * The high halves are not shifted down: sums of 16 u.v are shifted once at the end, which is exact.
 */
#include "shadow.h"

#include <immintrin.h>

TARGET_AVX512 INLINE __m512 steps_16(const uint8_t *codes, __m512i first)
{
    __m512i wide = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)codes));
    return _mm512_castsi512_ps(_mm512_add_epi32(first, _mm512_slli_epi32(wide, 20)));
}

TARGET_AVX512 INLINE __m512 bytes_16(const uint8_t *bytes)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)bytes)));
}

TARGET_AVX512 INLINE void scan_groups(const struct shadow_table *table, const struct shadow_query *query, const struct scan *scan,
                                      struct shadow_pool *pool, const int64_t chunks, const int biased)
{
    const __m512i low = _mm512_set1_epi8(15), high = _mm512_set1_epi8((char)0xf0);
    const __m512i first = _mm512_set1_epi32((int32_t)shadow_first_bits(table));
    const __m512 scale = _mm512_set1_ps(query->scale), per_residual = _mm512_set1_ps(query->per_residual);
    const __m512 constant = _mm512_set1_ps(query->constant), threshold = _mm512_set1_ps(scan->best->threshold);
    for (int64_t row = scan->first; row < scan->stop; row += SHADOW_ROWS) {
        uint32_t wanted = (uint32_t)scan_allowed(scan, row, SHADOW_ROWS);
        if (!wanted)
            continue;
        const uint8_t *group = shadow_group(table, row, chunks);
        __m512i lows[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()}, highs[2] = {lows[0], lows[0]};
#pragma GCC unroll 8
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            int32_t values[2];
            memcpy(values, query->codes + 8 * chunk, 8);
            const __m512i for_low = _mm512_set1_epi32(values[0]), for_high = _mm512_set1_epi32(values[1]);
#pragma GCC unroll 2
            for (int half = 0; half < 2; half++) {
                const __m512i bytes = _mm512_loadu_si512(group + (1 + 2 * chunk + half) * SHADOW_LINE);
                lows[half] = _mm512_dpbusd_epi32(lows[half], _mm512_and_si512(bytes, low), for_low);
                highs[half] = _mm512_dpbusd_epi32(highs[half], _mm512_and_si512(bytes, high), for_high);
            }
        }
        __m512 bounds[2];
#pragma GCC unroll 2
        for (int half = 0; half < 2; half++) {
            __m512 dots = _mm512_cvtepi32_ps(_mm512_add_epi32(lows[half], _mm512_srai_epi32(highs[half], 4)));
            __m512 rest = _mm512_fmadd_ps(bytes_16(group + SHADOW_ROWS + 16 * half), per_residual, constant);
            bounds[half] = _mm512_mul_ps(steps_16(group + 16 * half, first), _mm512_fmadd_ps(dots, scale, rest));
            if (biased) {
                const int64_t left = scan->stop - row - 16 * half;
                const __mmask16 present = left >= 16 ? 0xffff : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);
                bounds[half] = _mm512_add_ps(bounds[half], column_16(table->bias, row + 16 * half, present, 0));
            }
        }
        wanted &= (uint32_t)_mm512_cmp_ps_mask(bounds[0], threshold, _CMP_GE_OQ) |
                  (uint32_t)_mm512_cmp_ps_mask(bounds[1], threshold, _CMP_GE_OQ) << 16;
        if (__builtin_expect(wanted != 0, 0)) {
            float found[SHADOW_ROWS];
            _mm512_storeu_ps(found, bounds[0]);
            _mm512_storeu_ps(found + 16, bounds[1]);
            shadow_take(scan, pool, found, row, wanted);
        }
    }
}

TARGET_AVX512 void shadow_bounds_avx512(const struct shadow_table *table, const struct shadow_query *query, const struct scan *scan,
                                        struct shadow_pool *pool)
{
    if (table->bias->number != NONE) {
        scan_groups(table, query, scan, pool, table->chunks, 1);
        return;
    }
    switch (table->chunks) {
    case 4: scan_groups(table, query, scan, pool, 4, 0); break;
    case 8: scan_groups(table, query, scan, pool, 8, 0); break;
    case 16: scan_groups(table, query, scan, pool, 16, 0); break;
    default: scan_groups(table, query, scan, pool, table->chunks, 0);
    }
}
