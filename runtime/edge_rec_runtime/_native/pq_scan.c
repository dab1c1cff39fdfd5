/* Product codes, on every CPU: a byte names a number, and the numbers are added up.
 *
 * The order of the sum is fixed, and each addition waits for the one before; so four rows are added up side by side. */
#include "pq.h"

enum { SIDE_BY_SIDE = 4 };

INLINE void offer_row(const struct pq_table *table, struct best *best, float score, int64_t row)
{
    score += column_at(&table->bias, row);
    if (score > best->threshold)
        best_offer(best, score, row);
}

INLINE void scan_rows(const struct pq_table *table, const float *products, struct scan *scan, const int64_t count,
                      const int64_t pieces)
{
    int64_t row = scan->first;
    for (; row + SIDE_BY_SIDE <= scan->stop; row += SIDE_BY_SIDE) {
        const uint8_t *codes = table->codes + row * count;
        float scores[SIDE_BY_SIDE] = {0};
        for (int64_t i = 0; i < count; i++)
            for (int j = 0; j < SIDE_BY_SIDE; j++)
                scores[j] += products[i * pieces + codes[j * count + i]];
        for (int j = 0; j < SIDE_BY_SIDE; j++)
            if (scan_allows(scan, row + j))
                offer_row(table, scan->best, scores[j], row + j);
    }
    for (; row < scan->stop; row++) {
        float score = 0;
        for (int64_t i = 0; i < count; i++)
            score += products[i * pieces + table->codes[row * count + i]];
        if (scan_allows(scan, row))
            offer_row(table, scan->best, score, row);
    }
}

void pq_scan(const struct pq_table *table, const float *products, struct scan *scan)
{
    if (table->pieces != 256) {
        scan_rows(table, products, scan, table->count, table->pieces);
        return;
    }
    switch (table->count) {
    case 8: scan_rows(table, products, scan, 8, 256); break;
    case 16: scan_rows(table, products, scan, 16, 256); break;
    case 32: scan_rows(table, products, scan, 32, 256); break;
    default: scan_rows(table, products, scan, table->count, 256);
    }
}
