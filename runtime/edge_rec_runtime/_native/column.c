/* The check of a column that lets scans do without checks: every value finite, none above the peak. */
#include "column.h"

int column_measure(struct column *column, int64_t n)
{
    const uint32_t infinite = 0x7f800000u;
    uint32_t peak = 0; /* magnitudes of floats compare as their bits do, and NaN and infinity above them all */
    if (column->number == HALF) {
        const uint16_t *values = column->values;
        uint16_t most = 0;
        for (int64_t i = 0; i < n; i++) {
            uint16_t magnitude = values[i] & 0x7fff;
            most = magnitude > most ? magnitude : most;
        }
        float value = half_to_float(most);
        memcpy(&peak, &value, 4);
    } else if (column->number == SINGLE) {
        const uint32_t *values = column->values;
        for (int64_t i = 0; i < n; i++) {
            uint32_t magnitude = values[i] & 0x7fffffffu;
            peak = magnitude > peak ? magnitude : peak;
        }
    }
    if (peak >= infinite)
        return 0;
    float value;
    memcpy(&value, &peak, 4);
    column->peak = value;
    return 1;
}

float column_largest(const struct column *column, int64_t first, int64_t stop)
{
    if (column->number == HALF) { /* turned into integers of the same order */
        const int16_t *values = column->values;
        int16_t most = INT16_MIN;
        for (int64_t i = first; i < stop; i++) {
            int16_t ordered = (int16_t)(values[i] ^ ((values[i] >> 15) & 0x7fff));
            most = ordered > most ? ordered : most;
        }
        return half_to_float((uint16_t)(most ^ ((most >> 15) & 0x7fff)));
    }
    float most = column_at(column, first);
    for (int64_t i = first + 1; i < stop; i++)
        most = column_at(column, i) > most ? column_at(column, i) : most;
    return most;
}
