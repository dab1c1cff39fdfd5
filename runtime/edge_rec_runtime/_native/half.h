/* float16 -> float32 without instructions for it; exact, subnormals, infinities and NaN included. */
#ifndef EDGE_REC_HALF_H
#define EDGE_REC_HALF_H

#include "cpu.h"

#include <stdint.h>
#include <string.h>

INLINE float half_to_float(uint16_t half)
{
    /* Exponent and mantissa moved into place, then the exponent's bias put right by a power of two, which is exact. */
    uint32_t bits = (uint32_t)(half & 0x7fff) << 13, sign = (uint32_t)(half & 0x8000) << 16;
    float value;
    memcpy(&value, &bits, 4);
    value *= 0x1p112f;
    memcpy(&bits, &value, 4);
    if ((half & 0x7c00) == 0x7c00)
        bits |= 0x7f800000u;
    bits |= sign;
    memcpy(&value, &bits, 4);
    return value;
}

#endif
