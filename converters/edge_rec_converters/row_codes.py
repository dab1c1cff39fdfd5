"""Rows of numbers as codes of 8, 4 or 1 bits with one scale a row: how weights are rounded, packed and read back.

One scale a row keeps a row of small numbers from losing everything to a row of large ones. Eight bits are scaled by the largest
magnitude; with four bits and with one, where the steps are coarse, the scale of least squared error is worth its search.
"""

from __future__ import annotations

__all__ = ["pack_int4", "pack_signs", "quantise_binary", "quantise_int4", "quantise_rows", "unpack_int4", "unpack_signs"]

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDS = 8  # of fitting scales to codes and codes to scales; more change less than one code in a thousand
_BLOCK = 1 << 22  # numbers at a time, so that a large table is never held thrice


def quantise_rows(values: NDArray[np.floating]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round each row symmetrically to int8, half to even.

    Args:
        values: [rows, width] float.

    Returns:
        Codes [rows, width] int8 in [-127, 127] and scales [rows] float32. A row of zeros has scale 1, so that nothing
        divides by zero.
    """
    largest = np.abs(values).max(axis=1, initial=0).astype(np.float32)
    scales = np.where(largest > 0, largest / np.float32(127), np.float32(1)).astype(np.float32)
    codes = np.clip(np.rint(values / scales[:, None]), -127, 127).astype(np.int8)
    return codes, scales


def quantise_int4(values: NDArray[np.floating]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Round each row symmetrically to four bits, with the scale of least squared error.

    Args:
        values: [rows, width] float.

    Returns:
        Codes packed by `pack_int4`, [rows, ceil(width / 2)] uint8, and scales [rows] float32; 1 for a row of zeros.
    """
    rows, width = values.shape
    packed, scales = np.empty((rows, -(-width // 2)), np.uint8), np.empty(rows, np.float32)
    step = max(1, _BLOCK // max(width, 1))
    for start in range(0, rows, step):
        part = slice(start, start + step)
        codes, scales[part] = _int4_block(values[part].astype(np.float64))
        packed[part] = pack_int4(codes)
    return packed, scales


def _int4_block(values: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Fit codes and scales in turn, from several starts, and keep the best of each row."""
    largest = np.abs(values).max(axis=1, initial=0)
    safe = np.where(largest > 0, largest, 7.0)
    best_error = np.full(len(values), np.inf)
    best_scales = np.ones(len(values), np.float32)
    best_codes = np.zeros(values.shape, np.int8)
    for share in (1.0, 0.8, 0.6, 0.45):  # of the largest magnitude that 7 stands for
        scales = safe * share / 7
        for _ in range(_ROUNDS):
            codes = np.clip(np.rint(values / scales[:, None]), -7, 7)
            weight = (codes * codes).sum(axis=1)
            scales = np.where(weight > 0, (codes * values).sum(axis=1) / np.where(weight > 0, weight, 1), scales)
        stored = scales.astype(np.float32)
        stored[~(stored > 0)] = 1
        codes = np.clip(np.rint(values / stored[:, None].astype(np.float64)), -7, 7)
        error = ((codes * stored[:, None] - values) ** 2).sum(axis=1)
        better = error < best_error
        best_error[better], best_scales[better], best_codes[better] = error[better], stored[better], codes[better]
    best_scales[largest == 0] = 1
    return best_codes, best_scales


def quantise_binary(
    values: NDArray[np.floating], *, centred: bool
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32] | None]:
    """Keep the sign of each number, and for each row the scale of least squared error, which is its mean magnitude.

    Args:
        values: [rows, width] float.
        centred: Take the signs of the distances to the mean of each column, and return those means.

    Returns:
        Bits packed by `pack_signs`, [rows, ceil(width / 8)] uint8, scales [rows] float32, and the means [width] float32.
    """
    centre = values.mean(axis=0, dtype=np.float64).astype(np.float32) if centred else None
    rows, width = values.shape
    packed, scales = np.empty((rows, -(-width // 8)), np.uint8), np.empty(rows, np.float32)
    step = max(1, _BLOCK // max(width, 1))
    for start in range(0, rows, step):
        part = slice(start, start + step)
        left = values[part] if centre is None else values[part] - centre
        packed[part], scales[part] = pack_signs(left >= 0), np.abs(left).mean(axis=1)
    return packed, scales, centre


def pack_int4(codes: NDArray[np.signedinteger]) -> NDArray[np.uint8]:
    """Pack codes [rows, width] in [-8, 7] two a byte, low nibble first, two's complement -> [rows, ceil(width / 2)] uint8."""
    nibbles = (codes.astype(np.int8) & np.int8(15)).astype(np.uint8)
    if nibbles.shape[1] % 2:
        nibbles = np.pad(nibbles, ((0, 0), (0, 1)))
    return np.asarray(nibbles[:, 0::2] | nibbles[:, 1::2] << 4, np.uint8)


def unpack_int4(packed: NDArray[np.uint8], width: int) -> NDArray[np.int8]:
    """Return the codes [..., width] int8 of packed rows [..., ceil(width / 2)]."""
    pairs = np.stack([packed & 15, packed >> 4], axis=-1).reshape(*packed.shape[:-1], -1)[..., :width]
    codes: NDArray[np.int8] = (pairs.astype(np.int8) ^ 8) - 8
    return codes


def pack_signs(positive: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pack [rows, width] truths eight a byte -> [rows, ceil(width / 8)]: bit j of a row is bit 7 - j % 8 of byte j // 8."""
    return np.packbits(positive, axis=1)


def unpack_signs(packed: NDArray[np.uint8], width: int) -> NDArray[np.int8]:
    """Return +1 and -1 [..., width] int8 of packed rows [..., ceil(width / 8)]."""
    bits = np.unpackbits(packed, axis=-1, count=width)
    signs: NDArray[np.int8] = bits.astype(np.int8) * 2 - 1
    return signs
