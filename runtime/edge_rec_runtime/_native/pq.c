/* Layout pq for the search: the query is multiplied with the codebooks once, and its products are looked up row by row. */
#include "pq.h"

#include "gather.h"

#include <float.h>

static size_t query_bytes(const struct table *base)
{
    const struct pq_table *table = (const struct pq_table *)base;
    return ((size_t)(table->count * table->pieces) * sizeof(float) + 63) / 64 * 64;
}

enum { EIGHT = 8, HALVED_FROM = 128 };

/* The sum of n products in the order in which numpy adds up a row: one after the other below 8; eight sums side by side up to
 * 128, the rest after them; halves of multiples of 8 beyond. Values past `known` of the query count as 0. */
static double sum_products(const struct pq_table *table, int64_t at, const float *query, int64_t n, int64_t known)
{
    if (n > HALVED_FROM) {
        int64_t half = n / 2 / EIGHT * EIGHT;
        return sum_products(table, at, query, half, known) +
               sum_products(table, at + half, query + half, n - half, known - half);
    }
    double sums[EIGHT] = {0}, total = 0;
    int64_t i = 0;
    for (; n >= EIGHT && i + EIGHT <= n; i += EIGHT)
        for (int64_t j = 0; j < EIGHT; j++)
            sums[j] += (double)column_at(&table->codebooks, at + i + j) * (i + j < known ? (double)query[i + j] : 0.0);
    if (i > 0)
        total = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    for (; i < n; i++)
        total += (double)column_at(&table->codebooks, at + i) * (i < known ? (double)query[i] : 0.0);
    return total;
}

static enum prepared prepare(const struct table *base, const float *query, void *prepared)
{
    const struct pq_table *table = (const struct pq_table *)base;
    float *products = prepared;
    double most = table->bias.peak;
    for (int64_t i = 0; i < base->dims; i++)
        if (!isfinite(query[i]))
            return NOT_FINITE;
    for (int64_t book = 0; book < table->count; book++) {
        const int64_t start = book * table->width;
        double largest = 0;
        for (int64_t piece = 0; piece < table->pieces; piece++) {
            double product = sum_products(table, (book * table->pieces + piece) * table->width, query + start, table->width,
                                          base->dims - start);
            largest = fabs(product) > largest ? fabs(product) : largest;
            products[book * table->pieces + piece] = (float)product;
        }
        most += largest;
    }
    /* No score can leave float32, nor a step on the way to it; so the scan need not look. */
    return most < FLT_MAX * 0.999 ? PREPARED : TOO_LARGE;
}

static void scan(const struct table *base, const void *prepared, struct scan *scan)
{
    pq_scan((const struct pq_table *)base, prepared, scan);
}

const struct layout pq_layout = {.query_bytes = query_bytes, .prepare = prepare, .scan = scan, .gather = gather_pq};
