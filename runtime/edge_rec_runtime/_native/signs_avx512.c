/* Signs with VBMI, rows of up to 256: half bytes are looked up, 64 at a time, 64 rows a branch.
 *
 * vpermi2b looks 64 bytes up in a table of 128: 8 positions x 16 values of half a byte. So with its position put above each half
 * byte, one instruction looks up the lower halves of 8 rows' words, another the upper ones, and vpsadbw adds each word's 8 sums of
 * both up. What is looked up is exact, or at most a little too large (struct signs_halves), and so are the sums.
 *
 * A row's score is its scale times a dot product that its sum bounds. So a scale is kept as a byte, its share of the largest one,
 * and 32 shares are multiplied by 32 sums in an instruction; what a row must reach to pass the threshold is one number for all.
 * Rows that reach it are scored exactly: a few hundred of a million.
 */
#include "signs.h"

#include "words_avx512.h"

#include <float.h>
#include <immintrin.h>

struct lookup {
    __m512i sums[SIGNS_LOOKED_UP][2][2]; /* [word][upper, lower halves][bytes 0 to 3, 4 to 7] */
    struct spread spread;
};

TARGET_AVX512 INLINE struct lookup make_lookup(const struct signs_query *query, const int words, const int64_t row_bytes)
{
    struct lookup lookup;
    for (int word = 0; word < words; word++)
        for (int half = 0; half < 2; half++)
            for (int four = 0; four < 2; four++)
                lookup.sums[word][half][four] = _mm512_loadu_si512(query->halves.sums[2 * word + four][half]);
    lookup.spread = make_spread(words, row_bytes);
    return lookup;
}

/* What each of 8 words stands for. */
TARGET_AVX512 INLINE __m512i look_up(__m512i words, const __m512i tables[2][2])
{
    const __m512i half = _mm512_set1_epi8(15), position = _mm512_set1_epi64(0x7060504030201000);
    enum { and_or = 0xEA }; /* (a & b) | c */
    __m512i low = _mm512_ternarylogic_epi64(words, half, position, and_or);
    __m512i high = _mm512_ternarylogic_epi64(_mm512_srli_epi64(words, 4), half, position, and_or);
    __m512i both = _mm512_add_epi8(_mm512_permutex2var_epi8(tables[0][0], high, tables[0][1]),
                                   _mm512_permutex2var_epi8(tables[1][0], low, tables[1][1]));
    return _mm512_sad_epu8(both, _mm512_setzero_si512());
}

/* The sums of 8 rows, in the order that in_order undoes. */
TARGET_AVX512 INLINE __m512i sums_8(const uint8_t *bits, const struct lookup *lookup, const int words, const enum lying lying,
                                    const int64_t row_bytes)
{
    const int64_t step = 8 / words * row_bytes;
    __m512i a = load_words(bits, &lookup->spread, lying);
    if (words == 1)
        return look_up(a, lookup->sums[0]);
    __m512i b = load_words(bits + step, &lookup->spread, lying);
    __m512i even = _mm512_unpacklo_epi64(a, b), odd = _mm512_unpackhi_epi64(a, b);
    if (words == 2)
        return _mm512_add_epi64(look_up(even, lookup->sums[0]), look_up(odd, lookup->sums[1]));
    a = load_words(bits + 2 * step, &lookup->spread, lying), b = load_words(bits + 3 * step, &lookup->spread, lying);
    __m512i even_2 = _mm512_unpacklo_epi64(a, b), odd_2 = _mm512_unpackhi_epi64(a, b);
    __m512i first = _mm512_add_epi64(look_up(_mm512_shuffle_i64x2(even, even_2, 0x88), lookup->sums[0]),
                                     look_up(_mm512_shuffle_i64x2(odd, odd_2, 0x88), lookup->sums[1]));
    __m512i second = _mm512_add_epi64(look_up(_mm512_shuffle_i64x2(even, even_2, 0xdd), lookup->sums[2]),
                                      look_up(_mm512_shuffle_i64x2(odd, odd_2, 0xdd), lookup->sums[3]));
    return _mm512_add_epi64(first, second);
}

/* q8 . signs of one row: a bit of the row is the mask of a code. */
TARGET_AVX512 INLINE int32_t dot_row(const struct signs_query *query, const uint8_t *bits, const int64_t row_bytes)
{
    const __m512i one = _mm512_set1_epi8(1);
    __m512i sums = _mm512_setzero_si512();
    for (int32_t word = 0; word < query->words; word++) {
        int64_t left = row_bytes - word * 8;
        uint64_t mask = 0;
        memcpy(&mask, bits + word * 8, (size_t)(left < 8 ? left : 8));
        __m512i codes = _mm512_loadu_si512(query->codes + word * SIGNS_WORD);
        sums = _mm512_dpbusd_epi32(sums, _mm512_maskz_mov_epi8(mask, one), codes);
    }
    return 2 * _mm512_reduce_add_epi32(sums) - query->sum;
}

/* Eight sums of 8 rows each as words: those of vectors 0 to 3 and of vectors 4 to 7. */
TARGET_AVX512 INLINE void pack(const __m512i sums[8], __m512i packed[2])
{
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++)
        packed[i] = _mm512_packus_epi32(_mm512_packus_epi32(sums[4 * i], sums[4 * i + 1]),
                                        _mm512_packus_epi32(sums[4 * i + 2], sums[4 * i + 3]));
}

/* The row, 0 to 63, that comes to a word, 0 to 63: packing takes two lanes of each vector, and then the next two. */
INLINE int row_of(int word, const int words)
{
    int lane = (word % 32 / 8) * 2 + word % 2, vector = word / 32 * 4 + word % 8 / 2;
    return vector * 8 + row_in_lane(lane, words);
}

size_t signs_shares_bytes_avx512(const struct signs_table *table)
{
    return (size_t)((table->base.rows + SIGNS_GROUP - 1) / SIGNS_GROUP) * (SIGNS_GROUP + sizeof(float));
}

/* Bytes 2 w and 2 w + 1 of a group's shares are those of words w and 32 + w. */
TARGET_AVX512 void signs_make_shares_avx512(struct signs_table *table, void *place)
{
    const int64_t rows = table->base.rows, groups = (rows + SIGNS_GROUP - 1) / SIGNS_GROUP;
    const int words = table->base.row_bytes <= 8 ? 1 : table->base.row_bytes <= 16 ? 2 : 4;
    const float unit = (float)(255.0 * (1 + 1e-6) / table->scales.peak); /* a share that is not rounded down on the way */
    const int none = table->scales.number == NONE || !(unit < FLT_MAX) || table->scales.peak > 0x1p100;
    uint8_t order[SIGNS_GROUP];
    for (int i = 0; i < SIGNS_GROUP; i++)
        order[i] = (uint8_t)row_of(i / 2 + i % 2 * 32, words);
    table->biases = place;
    table->shares = (uint8_t *)(table->biases + groups);
    for (int64_t group = 0; group < groups; group++) {
        const int64_t first = group * SIGNS_GROUP, stop = first + SIGNS_GROUP < rows ? first + SIGNS_GROUP : rows;
        uint8_t shares[SIGNS_GROUP];
        memset(shares, none ? 255 : 0, sizeof shares);
        for (int64_t row = first; row < stop && !none; row += 16) {
            const __mmask16 present = stop - row < 16 ? (__mmask16)((1u << (stop - row)) - 1) : 0xffff;
            __m512 share = _mm512_mul_ps(column_16(&table->scales, row, present, 0), _mm512_set1_ps(unit));
            share = _mm512_max_ps(_mm512_min_ps(share, _mm512_set1_ps(255)), _mm512_setzero_ps());
            __m512i whole = _mm512_cvt_roundps_epi32(share, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
            _mm_storeu_si128((void *)(shares + (row - first)), _mm512_cvtepi32_epi8(whole));
        }
        _mm512_storeu_si512(table->shares + first, _mm512_permutexvar_epi8(_mm512_loadu_si512(order), _mm512_loadu_si512(shares)));
        table->biases[group] = column_largest(&table->bias, first, stop);
    }
}

/* What of a group's words one must reach for its row to pass a threshold.
 *
 * Where the threshold is above a row's bias its dot product must be above 0, and so must be, with D = sum + offset / step,
 * scale of the query x scale x step x D > threshold - bias, but for roundings; so D x share > 255 (threshold - bias) / (scale of
 * the query x peak x step). A word is that product / 256, rounded down. */
struct needs {
    double per;   /* 255 / 256 / (scale of the query x peak x step), less a little for all roundings */
    __m512i none; /* the sum, rounded down, at which D is 0 */
};

TARGET_AVX512 INLINE struct needs make_needs(const struct signs_table *table, const struct signs_query *query)
{
    const double peak = table->scales.number == NONE ? 1.0 : table->scales.peak;
    struct needs needs = {255.0 / 256.0 * (1.0 - 1e-6) / ((double)query->scale * peak * query->halves.step),
                          _mm512_set1_epi16((int16_t)(-query->halves.offset / query->halves.step))};
    return needs;
}

/* 0 if every row may pass. */
TARGET_AVX512 INLINE __m512i need_of(const struct needs *needs, double threshold, double bias)
{
    const double most = UINT16_MAX, room = threshold - bias - fabs(threshold) * 0x1p-22, need = room * needs->per;
    return _mm512_set1_epi16((int16_t)(uint16_t)(need > 0.0 ? need < most ? need : most : 0.0));
}

/* Offer those of 64 rows whose words are set and whose scores reach the threshold; equal ones are in no order. */
TARGET_AVX512 static __attribute__((noinline)) void offer_rows(const struct signs_table *table, const struct signs_query *query,
                                                               struct best *best, int64_t row, uint64_t wanted, uint64_t set,
                                                               const int words)
{
    const int64_t row_bytes = (int64_t)table->base.row_bytes;
    for (; set; set &= set - 1) {
        const int i = row_of(__builtin_ctzll(set), words);
        if (!(wanted >> i & 1))
            continue;
        const int64_t one = row + i;
        float score = signs_score(table, query, dot_row(query, table->bits + one * row_bytes, row_bytes), one);
        if (score >= best->threshold)
            best_offer(best, score, one);
    }
}

/* 64 rows; *need is what they need, and afterwards what the next ones do. */
TARGET_AVX512 INLINE void scan_64(const struct signs_table *table, const struct signs_query *query, const struct lookup *lookup,
                                  const struct needs *needs, __m512i *need, struct scan *scan, int64_t row, const int words,
                                  const enum lying lying, const int64_t row_bytes)
{
    uint64_t wanted = scan_allowed(scan, row, SIGNS_GROUP);
    if (!wanted)
        return;
    const uint8_t *bits = table->bits + row * row_bytes;
    __m512i sums[8], packed[2];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        sums[i] = sums_8(bits + i * 8 * row_bytes, lookup, words, lying, row_bytes);
    pack(sums, packed);
    if (table->bias.number != NONE)
        *need = need_of(needs, scan->best->threshold, table->biases[row / SIGNS_GROUP]);
    const __m512i shares = _mm512_loadu_si512(table->shares + row);
    __m512i first = _mm512_mulhi_epu16(_mm512_subs_epu16(packed[0], needs->none), _mm512_slli_epi16(shares, 8));
    __m512i last = _mm512_mulhi_epu16(_mm512_subs_epu16(packed[1], needs->none),
                                      _mm512_and_si512(shares, _mm512_set1_epi16((int16_t)0xff00)));
    uint64_t set = (uint64_t)_mm512_cmpge_epu16_mask(first, *need) | (uint64_t)_mm512_cmpge_epu16_mask(last, *need) << 32;
    if (__builtin_expect(set != 0, 0)) {
        offer_rows(table, query, scan->best, row, wanted, set, words);
        *need = need_of(needs, scan->best->threshold, 0);
    }
}

TARGET_AVX512 INLINE void scan_rows(const struct signs_table *table, const struct signs_query *query, struct scan *scan,
                                    const int words, const enum lying lying)
{
    const int64_t row_bytes = bytes_of(lying, words, table->base.row_bytes);
    const struct lookup lookup = make_lookup(query, words, row_bytes);
    const struct needs needs = make_needs(table, query);
    __m512i need = need_of(&needs, scan->best->threshold, 0);
    int64_t row = scan->first, apart = scan_apart(scan, SIGNS_GROUP, row_bytes);
    for (; row < scan->first + apart; row += SIGNS_GROUP)
        for (int stream = 0; stream < STREAMS; stream++)
            scan_64(table, query, &lookup, &needs, &need, scan, row + stream * apart, words, lying, row_bytes);
    for (row += (STREAMS - 1) * apart; row + SIGNS_GROUP <= scan->stop; row += SIGNS_GROUP)
        scan_64(table, query, &lookup, &needs, &need, scan, row, words, lying, row_bytes);
    struct scan rest = {scan->allowed, row, scan->stop, scan->best};
    signs_scan_avx512_wide(table, query, &rest);
}

TARGET_AVX512 void signs_scan_avx512(const struct signs_table *table, const struct signs_query *query, struct scan *scan)
{
    const size_t row_bytes = table->base.row_bytes;
    const double least = table->scales.number == NONE ? query->scale : query->scale * table->scales.peak;
    /* Relative errors are what is allowed for: none of the products may leave the normal floats. */
    const int bounded = !table->falling && query->scale > 0x1p-60f && least > 0x1p-60 && least < 0x1p60;
    if (!bounded || row_bytes > 32)
        signs_scan_avx512_wide(table, query, scan);
    else if (row_bytes > 16)
        row_bytes == 32 ? scan_rows(table, query, scan, 4, IN_WORDS) : scan_rows(table, query, scan, 4, IN_BYTES);
    else if (row_bytes > 8)
        row_bytes == 16 ? scan_rows(table, query, scan, 2, IN_WORDS) : scan_rows(table, query, scan, 2, IN_BYTES);
    else if (row_bytes == 8 || row_bytes == 4)
        row_bytes == 8 ? scan_rows(table, query, scan, 1, IN_WORDS) : scan_rows(table, query, scan, 1, IN_HALVES);
    else
        scan_rows(table, query, scan, 1, IN_BYTES);
}
