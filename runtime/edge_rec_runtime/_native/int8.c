/* Layout int8 for the search: queries rounded, one kernel a level. */
#include "int8.h"

#include "gather.h"
#include "query.h"

#include <float.h>
#include <string.h>

static int8_scan *const SCANS[LEVELS] = {
    int8_scan_portable,
#if defined(EDGE_REC_X86)
    int8_scan_avx2,
    int8_scan_avx512,
#elif defined(EDGE_REC_ARM64)
    int8_scan_neon,
    int8_scan_dotprod,
#endif
};

static size_t query_bytes(const struct table *table)
{
    return sizeof(struct int8_query) + (size_t)int8_padded(table->dims) * 3;
}

static enum prepared prepare(const struct table *base, const float *query, void *prepared)
{
    const struct int8_table *table = (const struct int8_table *)base;
    struct int8_query *out = prepared;
    int64_t padded = int8_padded(base->dims);
    memset(out->codes + base->dims, 0, (size_t)(padded - base->dims));
    if (!query_round(query, base->dims, out->codes, &out->scale))
        return NOT_FINITE;
    out->sum = 0;
    int16_t *wide = (int16_t *)(out->codes + padded);
    for (int64_t i = 0; i < padded; i++) {
        out->sum += out->codes[i];
        wide[i] = out->codes[i];
    }
    /* No score can leave float32, nor a step on the way to it; so the scan need not look. */
    double factor = out->scale * table->scales.peak, dot = 127.0 * 128.0 * (double)base->dims;
    return factor * (dot > 1 ? dot : 1) + table->bias.peak < FLT_MAX * 0.999 ? PREPARED : TOO_LARGE;
}

static void scan(const struct table *base, const void *prepared, struct scan *scan)
{
    SCANS[base->level]((const struct int8_table *)base, prepared, scan);
}

static void scan_many(const struct table *base, const void *prepared, int64_t count, struct scan *scans)
{
    const size_t stride = query_bytes(base);
#if defined(EDGE_REC_X86)
    if (base->level == LEVEL_AVX512 && base->dims <= INT8_TILE_DIMS && count >= INT8_TILE_QUERIES) {
        int8_scan_many_avx512((const struct int8_table *)base, prepared, stride, count, scans);
        return;
    }
#endif
    for (int64_t i = 0; i < count; i++)
        scan(base, (const char *)prepared + (size_t)i * stride, &scans[i]);
}

const struct layout int8_layout = {
    .query_bytes = query_bytes,
    .prepare = prepare,
    .scan = scan,
    .scan_many = scan_many,
    .score_rows = int8_score_rows,
    .gather = gather_int8,
};
