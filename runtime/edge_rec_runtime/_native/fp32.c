/* Layouts fp32 and fp16 for the search: queries checked and filled up, one kernel a level. */
#include "fp32.h"

#include "gather.h"

#include <string.h>

static fp32_scan *const SCANS[LEVELS] = {
    fp32_scan_portable,
#if defined(EDGE_REC_X86)
    fp32_scan_avx2,
    fp32_scan_avx512,
#elif defined(EDGE_REC_ARM64)
    fp32_scan_neon,
    fp32_scan_neon,
#endif
};

static fp32_score *const SCORES[LEVELS] = {
    fp32_score_portable,
#if defined(EDGE_REC_X86)
    fp32_score_avx2,
    fp32_score_avx512,
#elif defined(EDGE_REC_ARM64)
    fp32_score_neon,
    fp32_score_neon,
#endif
};

static size_t query_bytes(const struct table *table)
{
    return (size_t)(table->dims + 15) / 16 * 16 * sizeof(float);
}

static enum prepared prepare(const struct table *table, const float *query, void *prepared)
{
    for (int64_t i = 0; i < table->dims; i++)
        if (!(query[i] >= -FLT_MAX && query[i] <= FLT_MAX))
            return NOT_FINITE;
    memset(prepared, 0, query_bytes(table));
    memcpy(prepared, query, (size_t)table->dims * sizeof(float));
    return PREPARED;
}

static void scan(const struct table *table, const void *prepared, struct scan *scan)
{
    SCANS[table->level]((const struct fp32_table *)table, prepared, scan);
}

static void score_rows(const struct table *table, const void *prepared, const int64_t *rows, int64_t count, float *scores)
{
    for (int64_t i = 0; i < count; i++)
        scores[i] = SCORES[table->level]((const struct fp32_table *)table, prepared, rows[i]);
}

const struct layout fp32_layout = {
    .query_bytes = query_bytes, .prepare = prepare, .scan = scan, .score_rows = score_rows, .gather = gather_fp32};
