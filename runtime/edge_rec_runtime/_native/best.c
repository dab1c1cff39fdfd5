/* Keeping, merging and sorting the keys of the collector of best.h. */
#include "best.h"

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

INLINE void exchange(uint64_t *a, uint64_t *b)
{
    uint64_t held = *a;
    *a = *b;
    *b = held;
}

/* Quickselect, the pivot the median of three. What goes to the front is decided by a sum and not by a branch: of keys in random order
 * every other branch would be guessed wrong. */
void best_select(uint64_t *keys, int64_t count, int64_t k)
{
    int64_t low = 0, high = count - 1;
    while (low < high) {
        uint64_t *middle = &keys[low + (high - low) / 2], a = keys[low], b = *middle, c = keys[high];
        exchange((a < b) == (b < c) ? middle : (b < a) == (a < c) ? &keys[low] : &keys[high], &keys[high]);
        const uint64_t pivot = keys[high];
        int64_t front = low;
        for (int64_t i = low; i < high; i++) {
            const uint64_t key = keys[i];
            keys[i] = keys[front];
            keys[front] = key;
            front += key > pivot;
        }
        exchange(&keys[front], &keys[high]);
        if (front == k - 1 || front == k)
            return;
        if (front > k)
            high = front - 1;
        else
            low = front + 1;
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

/* Sort keys, the largest first, by merging longer and longer runs to and fro; spare has as much room. */
static void sort(uint64_t *keys, uint64_t *spare, int64_t count)
{
    uint64_t *from = keys, *to = spare;
    for (int64_t run = 1; run < count; run *= 2) {
        for (int64_t start = 0; start < count; start += 2 * run) {
            int64_t left = start, middle = start + run < count ? start + run : count;
            int64_t right = middle, stop = middle + run < count ? middle + run : count, at = start;
            while (left < middle && right < stop) {
                const uint64_t a = from[left], b = from[right];
                to[at++] = a > b ? a : b;
                left += a > b;
                right += a <= b;
            }
            while (left < middle)
                to[at++] = from[left++];
            while (right < stop)
                to[at++] = from[right++];
        }
        uint64_t *held = from;
        from = to;
        to = held;
    }
    if (from != keys)
        memcpy(keys, from, (size_t)count * sizeof *keys);
}

int64_t best_finish(struct best *best)
{
    if (best->k > FEW) {
        trim(best);
        sort(best->keys, best->keys + best->k, best->count); /* there is room for 2 K */
    }
    return best->count;
}
