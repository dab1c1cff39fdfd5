/* Decoding rows, a loop a layout: few rows are asked for, and plain C keeps up with the engine that waits for them. */
#include "gather.h"

#include "fp32.h"
#include "half.h"
#include "int4.h"
#include "int8.h"
#include "pq.h"
#include "signs.h"

void gather_fp32(const struct table *base, const int64_t *rows, int64_t count, float *out)
{
    const struct fp32_table *table = (const struct fp32_table *)base;
    const int64_t dims = base->dims;
    for (int64_t n = 0; n < count; n++, out += dims) {
        if (table->half) {
            const uint16_t *values = (const uint16_t *)table->values + rows[n] * dims;
            for (int64_t i = 0; i < dims; i++)
                out[i] = half_to_float(values[i]);
        } else {
            memcpy(out, (const float *)table->values + rows[n] * dims, (size_t)dims * sizeof(float));
        }
    }
}

void gather_int8(const struct table *base, const int64_t *rows, int64_t count, float *out)
{
    const struct int8_table *table = (const struct int8_table *)base;
    const int64_t dims = base->dims;
    for (int64_t n = 0; n < count; n++, out += dims) {
        const int8_t *codes = table->codes + rows[n] * dims;
        const float scale = column_at(&table->scales, rows[n]);
        for (int64_t i = 0; i < dims; i++)
            out[i] = (float)codes[i] * scale;
    }
}

void gather_int4(const struct table *base, const int64_t *rows, int64_t count, float *out)
{
    const struct int4_table *table = (const struct int4_table *)base;
    const int64_t dims = base->dims;
    for (int64_t n = 0; n < count; n++, out += dims) {
        const uint8_t *codes = table->codes + rows[n] * (int64_t)base->row_bytes;
        const float scale = column_at(&table->scales, rows[n]);
        for (int64_t i = 0; i < dims; i++)
            out[i] = (float)int4_code(codes, i) * scale;
    }
}

void gather_pq(const struct table *base, const int64_t *rows, int64_t count, float *out)
{
    const struct pq_table *table = (const struct pq_table *)base;
    const int64_t dims = base->dims;
    for (int64_t n = 0; n < count; n++, out += dims) {
        const uint8_t *codes = table->codes + rows[n] * table->count;
        for (int64_t piece = 0; piece < table->count; piece++)
            for (int64_t i = 0; i < table->width && piece * table->width + i < dims; i++)
                out[piece * table->width + i] = pq_value(table, piece, codes[piece], i);
    }
}

void gather_signs(const struct table *base, const int64_t *rows, int64_t count, float *out)
{
    const struct signs_table *table = (const struct signs_table *)base;
    const int64_t dims = base->dims;
    for (int64_t n = 0; n < count; n++, out += dims) {
        const uint8_t *bits = table->bits + rows[n] * (int64_t)base->row_bytes;
        const float scale = table->scales.number == NONE ? 1.0f : column_at(&table->scales, rows[n]);
        for (int64_t i = 0; i < dims; i++)
            out[i] = bits[i / 8] >> (7 - i % 8) & 1 ? scale : -scale;
    }
}
