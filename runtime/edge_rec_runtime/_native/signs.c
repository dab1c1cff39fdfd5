/* Layout signs for the search: queries rounded and made into tables, one kernel a level. */
#include "signs.h"

#include "gather.h"
#include "query.h"

#include <float.h>
#include <string.h>

static signs_scan *const SCANS[LEVELS] = {
    signs_scan_portable,
#if defined(EDGE_REC_X86)
    signs_scan_avx2,
    signs_scan_avx512,
#elif defined(EDGE_REC_ARM64)
    signs_scan_neon,
    signs_scan_neon,
#endif
};

/* Whether the kernel looks whole bytes up: all but AVX-512's, for the rows that they score exactly if for no others. */
static int by_bytes(const struct table *table)
{
#if defined(EDGE_REC_X86)
    return table->level < LEVEL_AVX512;
#else
    (void)table;
    return 1;
#endif
}

static int64_t words_of(const struct table *table)
{
    return (table->dims + SIGNS_WORD - 1) / SIGNS_WORD;
}

static size_t query_bytes(const struct table *table)
{
    size_t tables = by_bytes(table) ? table->row_bytes * 256 * sizeof(int16_t) : 0;
    return sizeof(struct signs_query) + (size_t)words_of(table) * SIGNS_WORD + tables;
}

/* What each of the 256 values of a byte adds: a bit more turns -code into +code. */
static void make_bytes(const struct signs_query *query, size_t row_bytes)
{
    int16_t *sums = (int16_t *)signs_bytes(query);
    for (size_t byte = 0; byte < row_bytes; byte++, sums += 256) {
        const int8_t *codes = query->codes + byte * 8;
        sums[0] = 0;
        for (int bit = 0; bit < 8; bit++)
            sums[0] = (int16_t)(sums[0] - codes[bit]);
        for (int bit = 0; bit < 8; bit++)
            for (int value = 0; value < 1 << bit; value++)
                sums[value | 1 << bit] = (int16_t)(sums[value] + 2 * codes[bit]);
    }
}

/* q8 . signs = 2 x (sum of the codes where the sign is +) - (sum of all), and a group's part of the first is between the sum of
 * its codes below 0 and that of those above. Counted from the former it has up to 9 bits; where one has, or the two groups of a byte
 * together, for kernels that add them in a byte, all are halved, once or twice. */
static void make_halves(const struct signs_query *query, const int by_byte, struct signs_halves *halves)
{
    const int groups = query->words * SIGNS_WORD / 4;
    int16_t parts[SIGNS_LOOKED_UP * SIGNS_WORD / 4][16];
    int32_t least = 0, most = 0, before = 0;
    for (int group = 0; group < groups; group++) {
        const int8_t *codes = query->codes + group * 4;
        int16_t *part = parts[group], low = 0, width = 0;
        for (int bit = 0; bit < 4; bit++) {
            low = (int16_t)(low + (codes[bit] < 0 ? codes[bit] : 0));
            width = (int16_t)(width + (codes[bit] < 0 ? -codes[bit] : codes[bit]));
        }
        least += low;
        int32_t together = by_byte && group % 2 ? before + width + 2 : width; /* 2: what both may be rounded up */
        most = together > most ? together : most;
        before = width;
        part[0] = (int16_t)-low;
        for (int bit = 0; bit < 4; bit++)
            for (int value = 0; value < 1 << bit; value++)
                part[value | 1 << bit] = (int16_t)(part[value] + codes[bit]);
    }
    const int less = most <= 255 ? 0 : most <= 2 * 255 ? 1 : 2;
    halves->step = 2 << less;
    halves->offset = 2 * least - query->sum;
    for (int group = 0; group < groups; group++) {
        /* Groups follow one another in a row's bytes, the lower half of a byte first. */
        uint8_t *sums = halves->sums[group / 8][group % 2 == 0] + group % 8 / 2 * 16;
        for (int value = 0; value < 16; value++)
            sums[value] = (uint8_t)((parts[group][value] + (1 << less) - 1) >> less);
    }
}

static enum prepared prepare(const struct table *base, const float *query, void *prepared)
{
    const struct signs_table *table = (const struct signs_table *)base;
    struct signs_query *out = prepared;
    int8_t codes[SIGNS_WORD];
    out->words = (int32_t)words_of(base);
    /* Rounded where they will lie, then turned around byte by byte. */
    if (!query_round(query, base->dims, out->codes, &out->scale))
        return NOT_FINITE;
    memset(out->codes + base->dims, 0, (size_t)(out->words * SIGNS_WORD - base->dims));
    out->sum = 0;
    for (int32_t word = 0; word < out->words; word++) {
        memcpy(codes, out->codes + word * SIGNS_WORD, SIGNS_WORD);
        for (int i = 0; i < SIGNS_WORD; i++) {
            out->codes[word * SIGNS_WORD + i] = codes[i ^ 7];
            out->sum += codes[i];
        }
    }
    if (by_bytes(base))
        make_bytes(out, base->row_bytes);
    if (base->level != LEVEL_PORTABLE && out->words <= SIGNS_LOOKED_UP)
        make_halves(out, !by_bytes(base), &out->halves);
    /* No score can leave float32, nor a step on the way to it; so the scan need not look. */
    double factor = out->scale * (table->scales.number == NONE ? 1.0 : table->scales.peak), dot = 127.0 * (double)base->dims;
    return factor * dot + table->bias.peak < FLT_MAX * 0.999 ? PREPARED : TOO_LARGE;
}

static void scan(const struct table *base, const void *prepared, struct scan *scan)
{
    SCANS[base->level]((const struct signs_table *)base, prepared, scan);
}

const struct layout signs_layout = {.query_bytes = query_bytes, .prepare = prepare, .scan = scan, .gather = gather_signs};
