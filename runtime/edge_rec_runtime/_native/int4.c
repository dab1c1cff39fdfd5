/* Layout int4 for the search: queries rounded and split by halves of bytes, one kernel a level. */
#include "int4.h"

#include "gather.h"
#include "query.h"

#include <float.h>
#include <string.h>

static int4_scan *const SCANS[LEVELS] = {
    int4_scan_portable,
#if defined(EDGE_REC_X86)
    int4_scan_avx2,
    int4_scan_avx512,
#elif defined(EDGE_REC_ARM64)
    int4_scan_portable,
    int4_scan_portable,
#endif
};

static int64_t halves_of(const struct table *table)
{
    return (int64_t)(table->row_bytes + 63) / 64 * 64;
}

/* Its codes, and room to round them before they are split. */
static size_t query_bytes(const struct table *table)
{
    return sizeof(struct int4_query) + (size_t)halves_of(table) * 4;
}

static enum prepared prepare(const struct table *base, const float *query, void *prepared)
{
    const struct int4_table *table = (const struct int4_table *)base;
    struct int4_query *out = prepared;
    out->halves = halves_of(base);
    memset(out->codes, 0, (size_t)out->halves * 2);
    int8_t *rounded = out->codes + out->halves * 2;
    if (!query_round(query, base->dims, rounded, &out->scale))
        return NOT_FINITE;
    out->sum = 0;
    for (int64_t i = 0; i < base->dims; i++) {
        out->codes[i % 2 * out->halves + i / 2] = rounded[i];
        out->sum += rounded[i];
    }
    /* No score can leave float32, nor a step on the way to it; so the scan need not look. */
    double factor = out->scale * table->scales.peak, dot = 127.0 * 8.0 * (double)base->dims;
    return factor * dot + table->bias.peak < FLT_MAX * 0.999 ? PREPARED : TOO_LARGE;
}

static void scan(const struct table *base, const void *prepared, struct scan *scan)
{
    SCANS[base->level]((const struct int4_table *)base, prepared, scan);
}

const struct layout int4_layout = {.query_bytes = query_bytes, .prepare = prepare, .scan = scan, .gather = gather_int4};
