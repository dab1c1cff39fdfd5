/* How a query runs: prepared once, the table read in parts, each part's best merged.
 *
 * Queries of a batch share the reading of the table: they take turns over pieces of it that stay in the cache.
 */
#include "search.h"

#include "best.h"
#include "pool.h"

#include <stdlib.h>

enum {
    LINE = 64,
    PIECE_BYTES = 128 * 1024,  /* of a batch: half of a small second-level cache */
    PART_ROWS = 16 * 1024,     /* fewer rows are not worth another thread */
};

/* What all parts work on. */
struct work {
    const struct table *table;
    const struct search *search;
    const char *prepared; /* [batch, query_bytes] */
    struct best *best;    /* [parts, batch] */
    struct scan *scans;   /* [parts, batch] */
    int parts;
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The first row of part i: whole groups of ROWS_ALIGNED rows, shared out evenly. */
static int64_t part_start(const struct work *work, int part)
{
    int64_t groups = (work->table->rows + ROWS_ALIGNED - 1) / ROWS_ALIGNED;
    int64_t group = groups / work->parts * part + smaller(part, groups % work->parts);
    return smaller(group * ROWS_ALIGNED, work->table->rows);
}

static void scan_piece(const struct work *work, struct scan *scans)
{
    const struct layout *layout = work->table->layout;
    int64_t batch = work->search->batch;
    if (batch > 1 && layout->scan_many) {
        layout->scan_many(work->table, work->prepared, batch, scans);
        return;
    }
    size_t stride = layout->query_bytes(work->table);
    for (int64_t i = 0; i < batch; i++)
        layout->scan(work->table, work->prepared + (size_t)i * stride, &scans[i]);
}

static void run_part(void *context, int part)
{
    const struct work *work = context;
    int64_t batch = work->search->batch, start = part_start(work, part), stop = part_start(work, part + 1);
    struct scan *scans = work->scans + part * batch;
    int64_t piece = stop - start;
    if (batch > 1) {
        int64_t groups = (int64_t)(PIECE_BYTES / (work->table->row_bytes * ROWS_ALIGNED));
        piece = (groups > 1 ? groups : 1) * ROWS_ALIGNED;
    }
    for (int64_t row = start; row < stop; row += piece) {
        for (int64_t i = 0; i < batch; i++) {
            scans[i].allowed = work->search->allowed;
            scans[i].first = row;
            scans[i].stop = smaller(row + piece, stop);
            scans[i].best = &work->best[part * batch + i];
        }
        scan_piece(work, scans);
    }
}

/* Merge the parts' best into the first part's, and write them out. A score that is not finite was offered as infinity. */
static enum searched collect(const struct work *work, struct search *search)
{
    search->found = 0;
    for (int64_t i = 0; i < search->batch; i++) {
        struct best *best = &work->best[i];
        for (int part = 1; part < work->parts; part++)
            best_merge(best, &work->best[part * search->batch + i]);
        search->found = best_finish(best); /* the same for every query: the filter is */
        if (search->found > 0 && isinf(key_float(best->keys[0])))
            return SEARCH_TOO_LARGE;
        for (int64_t j = 0; j < search->found; j++) {
            search->rows[i * search->k + j] = key_row(best->keys[j]);
            search->scores[i * search->k + j] = key_float(best->keys[j]);
        }
    }
    return SEARCHED;
}

static int parts_for(const struct table *table, int threads)
{
    int64_t most = table->rows / PART_ROWS;
    return (int)smaller(threads, most > 1 ? most : 1);
}

/* Prepare the queries; whatever one of them cannot be is the answer for all. */
static enum searched prepare(const struct table *table, const struct search *search, char *prepared)
{
    size_t stride = table->layout->query_bytes(table);
    for (int64_t i = 0; i < search->batch; i++) {
        enum prepared state = table->layout->prepare(table, search->queries + i * table->dims, prepared + (size_t)i * stride);
        if (state != PREPARED)
            return state == NOT_FINITE ? SEARCH_NOT_FINITE : SEARCH_TOO_LARGE;
    }
    return SEARCHED;
}

/* Add count x each bytes to the total, up to the next line; 0 if no memory is that large. */
static int add_bytes(size_t *total, size_t count, size_t each)
{
    size_t bytes, most = PTRDIFF_MAX / 8;
    if (__builtin_mul_overflow(count, each, &bytes) || bytes > most || *total > most)
        return 0;
    *total = (*total + bytes + LINE - 1) & ~(size_t)(LINE - 1);
    return 1;
}

enum searched search_table(const struct table *table, struct search *search)
{
    int64_t k = smaller(search->k, table->rows);
    search->found = 0;
    if (table->layout->best_for)
        table = table->layout->best_for(table, search->batch, k);
    int parts = parts_for(table, search->threads);
    size_t lists = (size_t)parts * (size_t)search->batch, keys_each = (size_t)best_room(k > 0 ? k : 1);
    /* One block: prepared queries | keys | collectors | scans, each on a line of its own. */
    size_t keys_at = 0, best_at, scans_at, total;
    if (!add_bytes(&keys_at, (size_t)search->batch, table->layout->query_bytes(table)))
        return SEARCH_NO_MEMORY;
    best_at = keys_at;
    if (!add_bytes(&best_at, lists, keys_each * sizeof(uint64_t)))
        return SEARCH_NO_MEMORY;
    scans_at = best_at;
    if (!add_bytes(&scans_at, lists, sizeof(struct best)))
        return SEARCH_NO_MEMORY;
    total = scans_at;
    if (!add_bytes(&total, lists, sizeof(struct scan)))
        return SEARCH_NO_MEMORY;
    char *block = malloc(total + LINE);
    if (!block)
        return SEARCH_NO_MEMORY;
    char *start = block + (LINE - (uintptr_t)block % LINE) % LINE;
    enum searched state = prepare(table, search, start);
    if (state == SEARCHED && table->rows > 0) {
        struct work work = {table, search, start, (struct best *)(start + best_at), (struct scan *)(start + scans_at), parts};
        for (size_t i = 0; i < lists; i++)
            best_start(&work.best[i], (uint64_t *)(start + keys_at) + i * keys_each, k);
        pool_run(run_part, &work, parts);
        state = collect(&work, search);
    }
    free(block);
    return state;
}
