/* Keeping, merging and sorting the keys of the collector of best.h. */
#include "best.h"

#include <stdlib.h>

enum { FEW = 32 }; /* so many are kept sorted */

int64_t best_room(int64_t k)
{
    return k <= FEW ? k + 1 : 2 * k;
}

void best_start(struct best *best, uint64_t *keys, int64_t k)
{
    best->keys = keys;
    best->count = 0;
    best->full = k <= FEW ? 1 : best_room(k);
    best->k = k;
    best->worst = 0; /* below every key: its row would be 2^32 - 1 */
    best->threshold = -INFINITY;
    best->ordered = INT32_MIN;
}

/* Hoare's quickselect, the pivot the median of three. */
void best_select(uint64_t *keys, int64_t count, int64_t k)
{
    int64_t low = 0, high = count - 1;
    while (low < high) {
        uint64_t a = keys[low], b = keys[low + (high - low) / 2], c = keys[high];
        uint64_t pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
        int64_t i = low, j = high;
        while (i <= j) {
            while (keys[i] > pivot)
                i++;
            while (keys[j] < pivot)
                j--;
            if (i <= j) {
                uint64_t swapped = keys[i];
                keys[i++] = keys[j];
                keys[j--] = swapped;
            }
        }
        if (k - 1 <= j)
            high = j;
        else if (k - 1 >= i)
            low = i;
        else
            return;
    }
}

static void set_worst(struct best *best, uint64_t worst)
{
    best->worst = worst;
    best->threshold = key_float(worst);
    best->ordered = key_int(worst);
}

/* Keep the best K of an unsorted buffer. */
static void trim(struct best *best)
{
    if (best->count < best->k)
        return;
    if (best->count > best->k)
        best_select(best->keys, best->count, best->k);
    best->count = best->k;
    uint64_t worst = best->keys[0];
    for (int64_t i = 1; i < best->k; i++)
        if (best->keys[i] < worst)
            worst = best->keys[i];
    set_worst(best, worst);
}

/* Put the last key into its place among the others, which are sorted, and drop what is beyond K. */
static void insert(struct best *best)
{
    uint64_t *keys = best->keys, key = keys[best->count - 1];
    int64_t place = best->count - 1;
    for (; place > 0 && keys[place - 1] < key; place--)
        keys[place] = keys[place - 1];
    keys[place] = key;
    if (best->count > best->k)
        best->count = best->k;
    if (best->count == best->k)
        set_worst(best, keys[best->k - 1]);
}

void best_settle(struct best *best)
{
    if (best->k <= FEW)
        insert(best);
    else
        trim(best);
}

void best_merge(struct best *best, const struct best *other)
{
    for (int64_t i = 0; i < other->count; i++) {
        if (other->keys[i] <= best->worst)
            continue;
        best->keys[best->count++] = other->keys[i];
        if (best->count >= best->full)
            best_settle(best);
    }
}

static int larger_first(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a < b) - (a > b);
}

int64_t best_finish(struct best *best)
{
    if (best->k > FEW) {
        trim(best);
        qsort(best->keys, (size_t)best->count, sizeof *best->keys, larger_first);
    }
    return best->count;
}
