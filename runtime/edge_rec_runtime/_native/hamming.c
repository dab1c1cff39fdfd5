/* Layout hamming for the search: the signs of a query, one kernel a level. */
#include "hamming.h"

#include <string.h>

static hamming_scan *const SCANS[LEVELS] = {
    hamming_scan_portable,
#if defined(EDGE_REC_X86)
    hamming_scan_avx2,
    hamming_scan_avx512,
#elif defined(EDGE_REC_ARM64)
    hamming_scan_neon,
    hamming_scan_neon,
#endif
};

static size_t line_of(const struct table *table)
{
    return (table->row_bytes + 63) / 64 * 64;
}

static size_t query_bytes(const struct table *table)
{
    return sizeof(struct hamming_query) + 2 * line_of(table);
}

static enum prepared prepare(const struct table *table, const float *query, void *prepared)
{
    struct hamming_query *out = prepared;
    out->line = (int64_t)line_of(table);
    memset(out->bytes, 0, (size_t)out->line * 2);
    for (int64_t i = 0; i < table->dims; i++) {
        if (!isfinite(query[i]))
            return NOT_FINITE;
        const uint8_t bit = (uint8_t)(0x80 >> (i % 8));
        out->bytes[out->line + i / 8] |= bit;
        if (query[i] > 0.0f)
            out->bytes[i / 8] |= bit;
    }
    return PREPARED;
}

static void scan(const struct table *table, const void *prepared, struct scan *scan)
{
    SCANS[table->level]((const struct hamming_table *)table, prepared, scan);
}

const struct layout hamming_layout = {.query_bytes = query_bytes, .prepare = prepare, .scan = scan};
