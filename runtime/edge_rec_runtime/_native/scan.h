/* One reading of a table, or of a part of it, and the filter that is applied while reading. */
#ifndef EDGE_REC_SCAN_H
#define EDGE_REC_SCAN_H

#include "best.h"
#include "cpu.h"

#include <stddef.h>
#include <stdint.h>

enum { ROWS_ALIGNED = 64 }; /* a scan starts at a multiple of this, so that its part of the bitmap starts on whole words */

struct scan {
    const uint8_t *allowed; /* bit r % 8 of byte r / 8 is set if row r may be returned, 8 spare bytes of 0 at the end; or NULL */
    int64_t first, stop;    /* rows to read */
    struct best *best;
};

/* Which of the n (16, 32 or 64) rows from `row` on, a multiple of n, may be returned; lowest bit first. */
INLINE uint64_t scan_allowed(const struct scan *scan, int64_t row, int n)
{
    uint64_t bits = ~UINT64_C(0) >> (64 - n);
    if (scan->allowed) {
        uint64_t found = 0;
        memcpy(&found, scan->allowed + row / 8, (size_t)n / 8);
        bits &= found;
    }
    if (scan->stop - row < n)
        bits &= (UINT64_C(1) << (scan->stop - row)) - 1;
    return bits;
}

/* Long tables are read as several streams, since one alone does not keep the memory busy: `n` rows of each in turn. Of equal scores
 * the smaller row must win, so rows of all streams but the last are compared with >=: the threshold may be that of a row further
 * down. Rows of the last one come after all that were read of others, and are compared with >; so do the rows left over. */

/* Where the second of two streams starts. */
INLINE int64_t scan_half(const struct scan *scan, int n)
{
    return (scan->stop - scan->first) / (2 * n) * n;
}

/* How far four streams are apart, for scans that read little of each at a time; 0 where a cache may hold the table, and one does. */
enum { STREAMS = 4, STREAMED = 16 << 20 };

INLINE int64_t scan_apart(const struct scan *scan, int n, int64_t row_bytes)
{
    const int64_t rows = scan->stop - scan->first;
    return rows * row_bytes < STREAMED ? 0 : rows / (STREAMS * n) * n;
}

INLINE int scan_allows(const struct scan *scan, int64_t row)
{
    return !scan->allowed || (scan->allowed[row / 8] >> (row % 8) & 1);
}

#endif
