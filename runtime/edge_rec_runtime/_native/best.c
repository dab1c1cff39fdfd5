/* Trimming, merging and sorting the collector of best.h. */
#include "best.h"

#include <stdlib.h>

enum { SPARE = 64, FEW = 24 };

int64_t best_room(int64_t k)
{
    return k + (k < SPARE ? SPARE : k);
}

void best_start(struct best *best, uint64_t *keys, int64_t k)
{
    best->keys = keys;
    best->count = 0;
    best->room = best_room(k);
    best->k = k;
    best->worst = 0; /* below every key: its row would be 2^32 - 1 */
    best->threshold = -INFINITY;
    best->ordered = INT32_MIN;
}

/* Move the k largest of keys [count] to the front, in any order: Hoare's quickselect, pivot the median of three. */
static void select_largest(uint64_t *keys, int64_t count, int64_t k)
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

void best_trim(struct best *best)
{
    if (best->count < best->k)
        return;
    if (best->count > best->k)
        select_largest(best->keys, best->count, best->k);
    best->count = best->k;
    uint64_t worst = best->keys[0];
    for (int64_t i = 1; i < best->k; i++)
        if (best->keys[i] < worst)
            worst = best->keys[i];
    best->worst = worst;
    best->threshold = key_float(worst);
    best->ordered = key_int(worst);
}

void best_merge(struct best *best, const struct best *other)
{
    for (int64_t i = 0; i < other->count; i++) {
        if (other->keys[i] <= best->worst)
            continue;
        best->keys[best->count++] = other->keys[i];
        if (best->count == best->room)
            best_trim(best);
    }
}

static int larger_first(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a < b) - (a > b);
}

static void insertion_sort(uint64_t *keys, int64_t count)
{
    for (int64_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        int64_t j = i;
        for (; j > 0 && keys[j - 1] < key; j--)
            keys[j] = keys[j - 1];
        keys[j] = key;
    }
}

int64_t best_finish(struct best *best)
{
    best_trim(best);
    if (best->count <= FEW)
        insertion_sort(best->keys, best->count);
    else
        qsort(best->keys, (size_t)best->count, sizeof *best->keys, larger_first);
    return best->count;
}
