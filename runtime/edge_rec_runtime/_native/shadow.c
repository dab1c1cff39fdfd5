/* The search through a shadow: bounds first, exact scores for what is left, and the full scan where that would not pay.
 *
 * Rows whose bounds reach the threshold gather in a pool. Most of them are there only because the threshold was still low when
 * they came, so they are not scored at once: when the pool is full, the rows of the highest bounds are, which lifts the threshold
 * past most of the others. What is left at the end is scored. So about K ln(n / K) rows are scored, and those whose bounds reach
 * the final threshold: some 400 of a million with 64 values, and not the 2,000 that pass on the way.
 */
#include "shadow.h"

#include "int8.h"
#include "query.h"

#include <float.h>
#include <math.h>

enum {
    CHUNK_ROWS = 64 * SHADOW_ROWS, /* between two looks at the pool */
    FIRST_ROWS = 16 * SHADOW_ROWS, /* all of these come into the pool, nothing being known */
    MOST_K = 256,                  /* beyond, the full scan */
    POOL_SPARE = 256,
    POOL_ROOM = POOL_SPARE + 4 * MOST_K + CHUNK_ROWS,
    AT_ONCE = 64,                  /* rows that are fetched and scored together */
    LEAST_LIFTED = 8,
    FEWEST_K = 10,                 /* asking for less saves nothing */
    BATCH = 8,                     /* from so many queries on, a layout that shares the reading of the whole table is faster */
};

static shadow_bounds *const BOUNDS[LEVELS] = {
    shadow_bounds_portable,
#if defined(EDGE_REC_X86)
    shadow_bounds_avx2,
    shadow_bounds_avx512,
#elif defined(EDGE_REC_ARM64)
    shadow_bounds_neon,
    shadow_bounds_dotprod,
#endif
};

/* A search under way. */
struct hunt {
    const struct shadow_table *table;
    const void *exact_query;
    struct best *best;
    struct shadow_pool pool;
    int64_t limit;   /* a pool of more rows is full */
    int64_t lifted;  /* rows scored to lift the threshold */
    int64_t pooled;  /* rows that came into the pool so far */
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Offer the exact scores of rows, by the keys of their bounds. */
static void score_keys(struct hunt *hunt, const uint64_t *keys, int64_t count)
{
    const struct table *exact = hunt->table->exact;
    int64_t rows[AT_ONCE];
    float scores[AT_ONCE];
    for (int64_t start = 0; start < count; start += AT_ONCE) {
        int64_t n = 0;
        for (int64_t i = start; i < smaller(start + AT_ONCE, count); i++) {
            if (key_float(keys[i]) < hunt->best->threshold)
                continue;
            const char *row = hunt->table->exact_rows + (size_t)key_row(keys[i]) * exact->row_bytes;
            for (size_t at = 0; at < exact->row_bytes; at += SHADOW_LINE)
                __builtin_prefetch(row + at);
            rows[n++] = key_row(keys[i]);
        }
        exact->layout->score_rows(exact, hunt->exact_query, rows, n, scores);
        for (int64_t i = 0; i < n; i++)
            best_offer(hunt->best, scores[i] >= -FLT_MAX && scores[i] <= FLT_MAX ? scores[i] : INFINITY, rows[i]);
    }
    if (hunt->best->count >= hunt->best->k)
        best_settle(hunt->best);
}

/* Drop what the threshold has passed. */
static void sift(struct hunt *hunt)
{
    struct shadow_pool *pool = &hunt->pool;
    const uint64_t least = (uint64_t)ordered_int(ordered_float(hunt->best->threshold)) << 32;
    int64_t kept = 0;
    for (int64_t i = 0; i < pool->count; i++) {
        pool->keys[kept] = pool->keys[i];
        kept += pool->keys[i] >= least;
    }
    pool->count = kept;
}

/* Score the rows of the highest bounds. */
static void lift(struct hunt *hunt, int64_t count)
{
    struct shadow_pool *pool = &hunt->pool;
    if (count < pool->count)
        best_select(pool->keys, pool->count, count);
    else
        count = pool->count;
    score_keys(hunt, pool->keys, count);
    pool->count -= count;
    memmove(pool->keys, pool->keys + count, (size_t)pool->count * sizeof *pool->keys);
    sift(hunt);
}

/* Make room for a chunk in the pool; 0 if too many rows come through for this to pay. */
static int make_room(struct hunt *hunt, int64_t rows_read)
{
    if (hunt->pool.count > hunt->limit)
        sift(hunt);
    for (int tries = 0; tries < 2 && hunt->pool.count > hunt->limit; tries++)
        lift(hunt, hunt->lifted);
    return hunt->pool.count <= hunt->limit && hunt->pooled <= CHUNK_ROWS + 32 * hunt->best->k + rows_read / 8;
}

static void run(const struct shadow_table *table, const struct shadow_query *query, const void *exact_query, struct scan *scan)
{
    uint64_t keys[POOL_ROOM];
    const int64_t k = scan->best->k;
    struct hunt hunt = {table, exact_query, scan->best, {keys, 0}, POOL_SPARE + 4 * k, k > LEAST_LIFTED ? k : LEAST_LIFTED, 0};
    int64_t row = scan->first, step = FIRST_ROWS;
    int pays = 1;
    for (; row < scan->stop && pays; row += step, step = smaller(2 * step, CHUNK_ROWS)) {
        struct scan chunk = {scan->allowed, row, smaller(row + step, scan->stop), scan->best};
        int64_t before = hunt.pool.count;
        BOUNDS[table->base.level](table, query, &chunk, &hunt.pool);
        hunt.pooled += hunt.pool.count - before;
        step = chunk.stop - row;
        pays = make_room(&hunt, chunk.stop - scan->first);
    }
    sift(&hunt);
    lift(&hunt, hunt.lifted);
    score_keys(&hunt, hunt.pool.keys, hunt.pool.count);
    if (row < scan->stop) {
        struct scan rest = {scan->allowed, row, scan->stop, scan->best};
        table->exact->layout->scan(table->exact, exact_query, &rest);
    }
}

static const struct shadow_query *shadow_part(const struct table *table, const void *prepared)
{
    const struct table *exact = ((const struct shadow_table *)table)->exact;
    return (const struct shadow_query *)((const char *)prepared + exact->layout->query_bytes(exact));
}

static void scan(const struct table *base, const void *prepared, struct scan *scan)
{
    const struct shadow_table *table = (const struct shadow_table *)base;
    const struct shadow_query *query = shadow_part(base, prepared);
    if (query->usable)
        run(table, query, prepared, scan);
    else
        table->exact->layout->scan(table->exact, prepared, scan);
}

static size_t query_bytes(const struct table *base)
{
    const struct shadow_table *table = (const struct shadow_table *)base;
    size_t codes = (size_t)(8 * table->chunks + SHADOW_LINE - 1) / SHADOW_LINE * SHADOW_LINE;
    return table->exact->layout->query_bytes(table->exact) + sizeof(struct shadow_query) + codes;
}

/* Float arithmetic has its relative errors among normal floats only: steps and the query's scale must be so far from both ends of
 * the exponents that their products, and those of the values that they stand for, cannot come near. */
static int in_range(const struct shadow_table *table, double scale)
{
    const double first = table->first_step, last = shadow_last_step(table);
    return first > 0x1p-80 && last < 0x1p40 && table->spread < 0x1p40f && scale > 0x1p-60 && scale < 0x1p40 && scale * first > 0x1p-85;
}

/* Fill in what the bound needs of a query, see shadow.h. */
static void measure(const struct shadow_table *table, const float *query, struct shadow_query *out)
{
    const int whole = table->exact->layout == &int8_layout;
    const double scale = out->scale;
    double length = 0, missed = 0, sum = 0, sizes = 0;
    for (int64_t i = 0; i < table->base.dims; i++) {
        double value = out->codes[i], rounded = scale * value, exact = whole ? rounded : (double)query[i];
        length += exact * exact;
        missed += (exact - rounded) * (exact - rounded);
        sum += value;
        sizes += fabs(value);
    }
    const double per_residual = sqrt(length) * sqrt((double)table->base.dims) / 500;
    const double missing = sqrt(missed) * table->spread;
    const double size = scale * (15 * sizes + 7.5 * fabs(sum)) + 255 * per_residual + missing;
    out->per_residual = (float)per_residual;
    out->constant = (float)(-7.5 * scale * sum + missing + 0x1p-20 * size);
    out->usable = in_range(table, scale);
}

static enum prepared prepare(const struct table *base, const float *query, void *prepared)
{
    const struct shadow_table *table = (const struct shadow_table *)base;
    enum prepared state = table->exact->layout->prepare(table->exact, query, prepared);
    if (state != PREPARED)
        return state;
    struct shadow_query *out = (struct shadow_query *)shadow_part(base, prepared);
    memset(out->codes, 0, (size_t)(8 * table->chunks));
    query_round(query, base->dims, out->codes, &out->scale);
    measure(table, query, out);
    return PREPARED;
}

static void score_rows(const struct table *base, const void *prepared, const int64_t *rows, int64_t count, float *scores)
{
    const struct table *exact = ((const struct shadow_table *)base)->exact;
    exact->layout->score_rows(exact, prepared, rows, count, scores);
}

static void gather_rows(const struct table *base, const int64_t *rows, int64_t count, float *out)
{
    const struct table *exact = ((const struct shadow_table *)base)->exact;
    exact->layout->gather(exact, rows, count, out);
}

static const struct table *best_for(const struct table *base, int64_t batch, int64_t k)
{
    const struct table *exact = ((const struct shadow_table *)base)->exact;
    const int64_t results = k > FEWEST_K ? k : FEWEST_K;
    if (base->rows / results < ((const struct shadow_table *)base)->rows_per_result)
        return exact;
    return k > MOST_K || (batch >= BATCH && exact->layout->scan_many) ? exact : base;
}

const struct layout shadow_layout = {
    .query_bytes = query_bytes, .prepare = prepare, .scan = scan, .score_rows = score_rows, .gather = gather_rows, .best_for = best_for};
