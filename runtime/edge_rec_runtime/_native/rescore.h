/* Two stages in one call: the best candidates of a cheap table, scored again by an exact one of the same rows. */
#ifndef EDGE_REC_RESCORE_H
#define EDGE_REC_RESCORE_H

#include "search.h"

/* What `search` asks for one query, by the scores of `exact`, which has score_rows, for its own form of the query [its dims];
 * only the `candidates` best rows of `cheap` are considered. */
enum searched search_rescored(const struct table *cheap, const struct table *exact, struct search *search, const float *exact_query,
                              int64_t candidates);

#endif
