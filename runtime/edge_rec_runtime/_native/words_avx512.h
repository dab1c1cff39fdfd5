/* Rows of bits in vectors: of 1, 2 or 4 words of 64 bits each, 8 rows at a time. */
#ifndef EDGE_REC_WORDS_AVX512_H
#define EDGE_REC_WORDS_AVX512_H

#include "cpu.h"

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

/* How rows of any width become rows of whole words. */
struct spread {
    __m512i from;
    __mmask64 to, loaded;
};

/* `words` of a row of row_bytes, so many that rows fill a vector. */
TARGET_AVX512 INLINE struct spread make_spread(const int words, const int64_t row_bytes)
{
    struct spread spread;
    uint8_t from[64] = {0};
    spread.to = 0;
    for (int i = 0; i < 64; i++) {
        int row = i / (8 * words), byte = i % (8 * words);
        if (byte >= row_bytes)
            continue;
        from[i] = (uint8_t)(row * row_bytes + byte);
        spread.to |= UINT64_C(1) << i;
    }
    spread.from = _mm512_loadu_si512(from);
    spread.loaded = ~UINT64_C(0) >> (64 - 8 / words * row_bytes);
    return spread;
}

/* How rows lie in a table: as words, as halves of one, or as any number of bytes. */
enum lying { IN_BYTES, IN_WORDS, IN_HALVES };

/* Bytes of a row of so many words, where that says it. */
INLINE int64_t bytes_of(const enum lying lying, const int words, size_t row_bytes)
{
    return lying == IN_WORDS ? words * 8 : lying == IN_HALVES ? 4 : (int64_t)row_bytes;
}

/* The next 8 / words rows, each in whole words. */
TARGET_AVX512 INLINE __m512i load_words(const uint8_t *bits, const struct spread *spread, const enum lying lying)
{
    if (lying == IN_WORDS)
        return _mm512_loadu_si512(bits);
    if (lying == IN_HALVES)
        return _mm512_cvtepu32_epi64(_mm256_loadu_si256((const void *)bits));
    return _mm512_maskz_permutexvar_epi8(spread->to, spread->from, _mm512_maskz_loadu_epi8(spread->loaded, bits));
}

/* The row, 0 to 7, in a lane. Interleaving vectors by words, rows come to be 0 4 1 5 2 6 3 7 if they have two words, and
 * 0 2 1 3 4 6 5 7 if they have four and quarters are then brought together. */
INLINE int row_in_lane(int lane, const int words)
{
    if (words == 1)
        return lane;
    return words == 2 ? lane >> 1 | (lane & 1) << 2 : (lane & 4) | (lane & 1) << 1 | (lane >> 1 & 1);
}

/* Lanes in the order of rows. */
TARGET_AVX512 INLINE __m512i in_order(__m512i rows, const int words)
{
    if (words == 1)
        return rows;
    return _mm512_permutexvar_epi64(words == 2 ? _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7) : _mm512_setr_epi64(0, 2, 1, 3, 4, 6, 5, 7),
                                    rows);
}

#endif
