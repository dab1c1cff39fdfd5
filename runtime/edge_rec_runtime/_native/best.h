/* The best K of what a scan offers, collected while it reads.
 *
 * A key of 64 bits holds the score in its upper half, in an order that unsigned integers compare, and ~row in its lower half:
 * the larger key is the better one, and of equal scores the smaller row. A small K is kept sorted, each key put in its place, so that
 * the threshold is always the K-th best score; for a larger K keys are written to a buffer of 2 K, and when it is full, a
 * quickselect keeps the best K of it. A scan thus pays one comparison a row, and almost never more: of n rows in random order
 * about K ln(n / K) get past it.
 */
#ifndef EDGE_REC_BEST_H
#define EDGE_REC_BEST_H

#include "cpu.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

struct best {
    uint64_t *keys; /* [room] */
    int64_t count, full, k; /* full: the count from which a further key is settled */
    uint64_t worst;   /* keys at or below it are not among the best any more */
    float threshold;  /* the score of worst; -infinity until there are K. A scan in row order needs only what is above it */
    int32_t ordered;  /* the same for scores that are int32; INT32_MIN until there are K */
};

/* How many keys a collector of k needs room for. */
int64_t best_room(int64_t k);

/* Start with nothing; keys [best_room(k)] belong to the caller. k >= 1. */
void best_start(struct best *best, uint64_t *keys, int64_t k);

/* Make room after one more key, and raise the threshold. */
void best_settle(struct best *best);

/* Take over what another collector has kept. */
void best_merge(struct best *best, const struct best *other);

/* Move the k largest of keys [count] to the front, in any order. */
void best_select(uint64_t *keys, int64_t count, int64_t k);

/* Sort what is kept, best first, and return how many there are. */
int64_t best_finish(struct best *best);

/* int32 -> uint32 of the same order. */
INLINE uint32_t ordered_int(int32_t score)
{
    return (uint32_t)score ^ 0x80000000u;
}

/* float -> int32 of the same order; -0 counts as 0, NaN must not come. */
INLINE int32_t ordered_float(float score)
{
    int32_t bits;
    score += 0.0f;
    memcpy(&bits, &score, 4);
    return bits ^ ((bits >> 31) & 0x7fffffff);
}

INLINE float float_ordered(int32_t ordered)
{
    float score;
    ordered ^= (ordered >> 31) & 0x7fffffff;
    memcpy(&score, &ordered, 4);
    return score;
}

INLINE int64_t key_row(uint64_t key)
{
    return (int64_t)(uint32_t)~key;
}

INLINE int32_t key_int(uint64_t key)
{
    return (int32_t)((uint32_t)(key >> 32) ^ 0x80000000u);
}

INLINE float key_float(uint64_t key)
{
    return float_ordered(key_int(key));
}

/* Offer a row and its score as int32; one collector gets either these or floats. */
INLINE void best_offer_int(struct best *best, int32_t score, int64_t row)
{
    uint64_t key = (uint64_t)ordered_int(score) << 32 | (uint32_t)~(uint32_t)row;
    if (key <= best->worst)
        return;
    best->keys[best->count++] = key;
    if (best->count >= best->full)
        best_settle(best);
}

/* Offer a row and its score, which is finite. */
INLINE void best_offer(struct best *best, float score, int64_t row)
{
    best_offer_int(best, ordered_float(score), row);
}

#endif
