/* The scores of single int8 rows, for the layout that reads few of them. */
#include "int8.h"

INLINE void score_each(const struct int8_table *table, const struct int8_query *query, const int64_t *rows, int64_t count, float *scores)
{
    const int64_t dims = table->base.dims;
    for (int64_t n = 0; n < count; n++) {
        const int8_t *codes = table->codes + rows[n] * dims;
        int32_t dot = 0;
        for (int64_t i = 0; i < dims; i++)
            dot += (int16_t)(codes[i] * query->codes[i]);
        scores[n] = int8_score(table, query, dot, rows[n]);
    }
}

#if defined(EDGE_REC_X86)
TARGET_AVX2 static void score_avx2(const struct int8_table *table, const struct int8_query *query, const int64_t *rows, int64_t count,
                                   float *scores)
{
    score_each(table, query, rows, count, scores);
}
#endif

void int8_score_rows(const struct table *base, const void *prepared, const int64_t *rows, int64_t count, float *scores)
{
#if defined(EDGE_REC_X86)
    if (base->level >= LEVEL_AVX2) {
        score_avx2((const struct int8_table *)base, prepared, rows, count, scores);
        return;
    }
#endif
    score_each((const struct int8_table *)base, prepared, rows, count, scores);
}
