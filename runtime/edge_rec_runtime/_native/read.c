/* One plain read of a buffer: what memory allows, for benchmarks to hold the scans against.
 *
 * Every byte is loaded once, by the widest loads that the CPU has, and added up so that no load can be left out. Four chains of
 * sums hide the latency of adding. With `streams` 4 they run through a quarter of the buffer each, which some memories like better.
 */
#include "cpu.h"
#include "types.h"

#include <string.h>
#ifdef EDGE_REC_X86
#include <immintrin.h>
#endif

enum { LINE = 64, CHAINS = 4 };

static uint64_t read_portable(const uint8_t *bytes, int64_t step, int64_t apart, int64_t count)
{
    uint64_t sums[CHAINS] = {0};
    for (int64_t i = 0; i < count; i++)
        for (int chain = 0; chain < CHAINS; chain++)
            for (int word = 0; word < LINE / 8; word++) {
                uint64_t value;
                memcpy(&value, bytes + i * step + chain * apart + 8 * word, 8);
                sums[chain] += value;
            }
    return sums[0] + sums[1] + sums[2] + sums[3];
}

#ifdef EDGE_REC_X86
TARGET_AVX512 static uint64_t read_avx512(const uint8_t *bytes, int64_t step, int64_t apart, int64_t count)
{
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
    for (int64_t i = 0; i < count; i++, bytes += step) {
        a = _mm512_add_epi64(a, _mm512_loadu_si512(bytes));
        b = _mm512_add_epi64(b, _mm512_loadu_si512(bytes + apart));
        c = _mm512_add_epi64(c, _mm512_loadu_si512(bytes + 2 * apart));
        d = _mm512_add_epi64(d, _mm512_loadu_si512(bytes + 3 * apart));
    }
    return (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(c, d)));
}

TARGET_AVX2 static uint64_t read_avx2(const uint8_t *bytes, int64_t step, int64_t apart, int64_t count)
{
    __m256i sums[CHAINS];
    for (int chain = 0; chain < CHAINS; chain++)
        sums[chain] = _mm256_setzero_si256();
    for (int64_t i = 0; i < count; i++, bytes += step)
#pragma GCC unroll 4
        for (int chain = 0; chain < CHAINS; chain++) {
            const __m256i *line = (const __m256i *)(bytes + chain * apart);
            __m256i both = _mm256_add_epi64(_mm256_loadu_si256(line), _mm256_loadu_si256(line + 1));
            sums[chain] = _mm256_add_epi64(sums[chain], both);
        }
    uint64_t lanes[4];
    _mm256_storeu_si256((__m256i *)lanes, _mm256_add_epi64(_mm256_add_epi64(sums[0], sums[1]), _mm256_add_epi64(sums[2], sums[3])));
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}
#endif

static uint64_t read_whole(const uint8_t *bytes, int64_t size, int in_order)
{
    int64_t count = size / (LINE * CHAINS);
    int64_t step = in_order ? LINE * CHAINS : LINE, apart = in_order ? LINE : LINE * count;
    uint64_t sum = 0;
    for (int64_t i = count * LINE * CHAINS; i < size; i++)
        sum += bytes[i];
#ifdef EDGE_REC_X86
    if (cpu_level() >= LEVEL_AVX512)
        return sum + read_avx512(bytes, step, apart, count);
    if (cpu_level() >= LEVEL_AVX2)
        return sum + read_avx2(bytes, step, apart, count);
#endif
    return sum + read_portable(bytes, step, apart, count);
}

PyObject *read_all(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    Py_buffer view;
    int streams;
    if (!PyArg_ParseTuple(arguments, "y*i:_read_all", &view, &streams))
        return 0;
    uint64_t sum;
    Py_BEGIN_ALLOW_THREADS
    sum = read_whole(view.buf, view.len, streams == 1);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&view);
    return PyLong_FromUnsignedLongLong(sum);
}
