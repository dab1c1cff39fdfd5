"""Rows of numbers as codes of 8, 4 or 1 bits with one scale a row: how weights are rounded, packed and read back.

One scale a row keeps a row of small numbers from losing everything to a row of large ones. Eight bits are scaled by the largest
magnitude; with four bits and with one, where the steps are coarse, the scale of least squared error is worth its search.
"""

from __future__ import annotations

__all__ = [
    "pack_int4",
    "pack_signs",
    "quantise_binary",
    "quantise_int4",
    "quantise_rows",
    "round_rows",
    "unpack_int4",
    "unpack_signs",
]

import math
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime.codes.int4 import pack_nibbles, unpack_nibbles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_SHARES = (1.0, 0.9, 0.8, 0.7, 0.6)  # of a row's largest magnitude that the code 7 stands for, to start from
_ROUNDS = 2
_BLOCK = 1 << 20  # numbers at a time, so that a large table is never held thrice


def quantise_rows(values: NDArray[np.floating]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round each row symmetrically to int8, half to even.

    Args:
        values: [rows, width] float.

    Returns:
        Codes [rows, width] int8 in [-127, 127] and scales [rows] float32. A row of zeros has scale 1, so that nothing
        divides by zero.
    """
    largest = np.maximum(values.max(axis=1, initial=0), -values.min(axis=1, initial=0)).astype(np.float32)
    scales = np.where(largest > 0, largest / np.float32(127), np.float32(1)).astype(np.float32)
    return round_rows(values, scales), scales


def round_rows(values: NDArray[np.floating], scales: NDArray[np.float32]) -> NDArray[np.int8]:
    """Return the codes [rows, width] int8 in [-127, 127] that are nearest to the values [rows, width] by scales [rows]."""
    codes = np.empty(values.shape, np.int8)
    for part in _blocks(values):
        codes[part] = np.clip(np.rint(values[part] / scales[part, None]), -127, 127)
    return codes


def quantise_int4(values: NDArray[np.floating]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Round each row symmetrically to four bits, with the scale of least squared error.

    Args:
        values: [rows, width] float.

    Returns:
        Codes packed by `pack_int4`, [rows, ceil(width / 2)] uint8, and scales [rows] float32; 1 for a row of zeros.
    """
    rows, width = values.shape
    packed, scales = np.empty((rows, -(-width // 2)), np.uint8), np.empty(rows, np.float32)
    for part in _blocks(values):
        codes, scales[part] = _int4_block(values[part].astype(np.float32))
        packed[part] = pack_int4(codes)
    return packed, scales


def _int4_block(values: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Fit scales to codes and codes to scales, from several starts, and keep the best of each row."""
    largest = np.abs(values).max(axis=1, initial=0)
    best_error = np.full(len(values), np.inf, np.float32)
    best_scales = np.ones(len(values), np.float32)
    best_codes = np.zeros(values.shape, np.int8)
    unit = np.where(largest > 0, largest, np.float32(1))
    rows = np.asarray(values / unit[:, None], np.float32)  # so that no square overflows
    for share in _SHARES:
        scales = np.full(len(values), share / 7, np.float32)
        for _ in range(_ROUNDS):
            codes = _nearest(rows, scales)
            weight = (codes * codes).sum(axis=1)
            scales = np.where(weight > 0, (codes * rows).sum(axis=1) / np.maximum(weight, 1), scales)
        codes = _nearest(rows, scales)
        error = ((codes * scales[:, None] - rows) ** 2).sum(axis=1)
        better = error < best_error
        best_error[better], best_scales[better], best_codes[better] = error[better], scales[better], codes[better]
    return best_codes, np.where(largest > 0, best_scales * unit, np.float32(1))


def _nearest(rows: NDArray[np.float32], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    codes: NDArray[np.float32] = np.clip(np.rint(rows / scales[:, None]), np.float32(-7), np.float32(7))
    return codes


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
    for part in _blocks(values):
        left = values[part] if centre is None else values[part] - centre
        packed[part], scales[part] = pack_signs(left >= 0), np.abs(left).mean(axis=1)
    return packed, scales, centre


def _blocks(values: NDArray[np.floating]) -> Iterator[slice]:
    step = max(1, _BLOCK // max(values.shape[1], 1))
    return (slice(start, start + step) for start in range(0, len(values), step))


def pack_int4(codes: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Pack codes [rows, width] in [-8, 7] two a byte, low nibble first, two's complement -> [rows, ceil(width / 2)] uint8."""
    return pack_nibbles(codes)


def unpack_int4(packed: NDArray[np.uint8], width: int) -> NDArray[np.int8]:
    """Return the codes [..., width] int8 of packed rows [..., ceil(width / 2)]."""
    rows = packed.reshape(math.prod(packed.shape[:-1]), packed.shape[-1])
    return unpack_nibbles(rows, width).reshape(*packed.shape[:-1], width)


def pack_signs(positive: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pack [rows, width] truths eight a byte -> [rows, ceil(width / 8)]: bit j of a row is bit 7 - j % 8 of byte j // 8."""
    return np.packbits(positive, axis=1)


def unpack_signs(packed: NDArray[np.uint8], width: int) -> NDArray[np.int8]:
    """Return +1 and -1 [..., width] int8 of packed rows [..., ceil(width / 8)]."""
    bits = np.unpackbits(packed, axis=-1, count=width)
    signs: NDArray[np.int8] = bits.astype(np.int8) * 2 - 1
    return signs
