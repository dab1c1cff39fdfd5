/* The second stage reads its rows in their order, once each; both stages share nothing but the rows' numbers. */
#include "rescore.h"

#include <stdlib.h>

enum { LINE = 64 };

static int smaller_first(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static enum searched score_again(const struct table *exact, const float *query, struct search *search, int64_t *rows, int64_t count,
                                 float *scores, uint64_t *keys, void *prepared)
{
    enum prepared state = exact->layout->prepare(exact, query, prepared);
    if (state != PREPARED)
        return state == NOT_FINITE ? SEARCH_NOT_FINITE : SEARCH_TOO_LARGE;
    qsort(rows, (size_t)count, sizeof *rows, smaller_first);
    exact->layout->score_rows(exact, prepared, rows, count, scores);
    struct best best;
    best_start(&best, keys, search->k);
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(scores[i])) /* of layouts whose values were not all looked at */
            return SEARCH_TOO_LARGE;
    for (int64_t i = 0; i < count; i++)
        best_offer(&best, scores[i], rows[i]);
    search->found = best_finish(&best);
    for (int64_t i = 0; i < search->found; i++) {
        search->rows[i] = key_row(best.keys[i]);
        search->scores[i] = key_float(best.keys[i]);
    }
    return SEARCHED;
}

enum searched search_rescored(const struct table *cheap, const struct table *exact, struct search *search, const float *exact_query,
                              int64_t candidates)
{
    struct search first = *search;
    first.k = candidates < cheap->rows ? candidates : cheap->rows;
    search->found = 0;
    if (first.k == 0)
        return SEARCHED;
    size_t room = (size_t)first.k, keys = (size_t)best_room(search->k);
    char *block = malloc(LINE + exact->layout->query_bytes(exact) + room * (sizeof(int64_t) + sizeof(float)) + keys * sizeof(uint64_t));
    if (!block)
        return SEARCH_NO_MEMORY;
    /* prepared query | keys | rows | scores */
    char *prepared = block + (LINE - (uintptr_t)block % LINE) % LINE;
    uint64_t *found = (uint64_t *)(prepared + exact->layout->query_bytes(exact));
    first.rows = (int64_t *)(found + keys);
    first.scores = (float *)(first.rows + room);
    enum searched state = search_table(cheap, &first);
    if (state == SEARCHED)
        state = score_again(exact, exact_query, search, first.rows, first.found, first.scores, found, prepared);
    free(block);
    return state;
}
