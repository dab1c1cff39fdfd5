/* Signs in plain C: what each byte of a row adds is looked up in the query's tables of 256 values. */
#include "signs.h"

void signs_scan_portable(const struct signs_table *table, const struct signs_query *query, struct scan *scan)
{
    const int64_t row_bytes = (int64_t)table->base.row_bytes;
    for (int64_t row = scan->first; row < scan->stop; row++) {
        if (!scan_allows(scan, row))
            continue;
        float score = signs_score(table, query, signs_dot(query, table->bits + row * row_bytes, row_bytes), row);
        if (score > scan->best->threshold)
            best_offer(scan->best, score, row);
    }
}
