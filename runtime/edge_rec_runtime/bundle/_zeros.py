"""Zeros left out: how a member with many zeros is stored smaller, and given back byte for byte.

Pruned weights are zeros, and a file is not smaller for them by itself. Here a bitmap says which words are not zero, and only
these follow. A graph keeps its weights wherever its format put them, so each block of it is taken as words of one, two or four
bytes from the byte on where that leaves out most: a block is read round, what stands before its first word comes after its last.
"""

from __future__ import annotations

__all__ = ["BLOCK", "LEAST_SAVED", "MODES", "pack", "unpack"]

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

BLOCK = 1024  # bytes; a member ends with zeros that fill its last block
# mode of a block -> bytes of a word, and of what stands before the first one; a block of mode 0 is stored as it is
MODES: tuple[tuple[int, int], ...] = ((0, 0), (1, 0), (2, 0), (2, 1), (4, 0), (4, 1), (4, 2), (4, 3))
LEAST_SAVED = 4096  # bytes; what saves less, or less than a tenth, stays as it is and can be mapped

_AT_ONCE = 4096  # blocks, so that a large table needs little beside itself
_SMALLEST = 1 + BLOCK // 4 // 8  # bytes that a block of zeros takes: its mode, and a bit for every four bytes


def pack(pieces: Sequence[bytes | memoryview], *, words: Sequence[int] = (1, 2, 4)) -> bytes | None:
    """Return a member without its zeros, or None where that saves too little.

    Args:
        pieces: The member's bytes.
        words: Bytes of the words that may be left out: of an array those of its values.
    """
    parts = [np.frombuffer(piece, np.uint8) for piece in pieces]
    size = sum(len(part) for part in parts)
    wanted = max(LEAST_SAVED, -(-size // 10))
    if size - sum(np.count_nonzero(part) for part in parts) < wanted:
        return None
    blocks = np.zeros((-(-size // BLOCK), BLOCK), np.uint8)
    np.concatenate(parts, out=blocks.reshape(-1)[:size])
    modes = _modes(blocks, words)
    packed = b"".join(chain([modes.tobytes()], *(_stored(blocks, modes, mode) for mode in range(len(MODES)))))
    return packed if size - len(packed) >= wanted else None


def unpack(data: bytes | memoryview, size: int) -> NDArray[np.uint8]:
    """Return the bytes [size] uint8 of a member that was packed.

    No more is ever made than some 31 bytes for each that is stored.

    Raises:
        BundleError: The data is not what `pack` makes of so many bytes; the message lacks the member's name.
    """
    count = -(-size // BLOCK)
    if size < 1 or count * _SMALLEST > len(data):
        raise BundleError(f"cannot hold {size} bytes in {len(data)}; the file is damaged or hostile")
    stored = _Stored(np.frombuffer(data, np.uint8))
    modes = stored.take(count)
    if modes.max() >= len(MODES):
        raise BundleError(f"has a block of the unknown mode {modes.max()}; the file is damaged")
    blocks = np.zeros((count, BLOCK), np.uint8)
    for mode, (word, before) in enumerate(MODES):
        rows = np.flatnonzero(modes == mode)
        if not word:
            blocks[rows] = stored.take(len(rows) * BLOCK).reshape(-1, BLOCK)
            continue
        bitmaps = stored.take(len(rows) * BLOCK // word // 8).reshape(-1, BLOCK // word // 8)
        for part in _parts(len(rows)):
            kept = np.unpackbits(bitmaps[part]).view(np.bool_)
            words = np.zeros(len(kept), f"<u{word}")
            words[kept] = stored.take(int(np.count_nonzero(kept)) * word).view(words.dtype)
            blocks[rows[part]] = np.roll(words.view(np.uint8).reshape(-1, BLOCK), before, axis=1)
    whole = blocks.reshape(-1)
    if stored.left or whole[size:].any():
        raise BundleError(f"holds more than the {size} bytes that the manifest says; the file is damaged")
    return whole[:size]


class _Stored:
    """Bytes taken one stretch after the other, never past the end."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self._data = data
        self.left = len(data)

    def take(self, count: int) -> NDArray[np.uint8]:
        if count > self.left:
            raise BundleError("breaks off; the file is damaged")
        start = len(self._data) - self.left
        self.left -= count
        return self._data[start : start + count]


def _modes(blocks: NDArray[np.uint8], words: Sequence[int]) -> NDArray[np.uint8]:
    """Return for each of the blocks [n, BLOCK] the mode [n] that makes it smallest, of equal ones the first."""
    modes = np.zeros(len(blocks), np.uint8)
    for part in _parts(len(blocks)):
        smallest = np.full(len(blocks[part]), BLOCK)
        for mode, (word, before) in enumerate(MODES):
            if word in words:
                size = BLOCK // word // 8 + word * np.count_nonzero(_words(blocks[part], word, before), axis=1)
                modes[part][size < smallest] = mode
                smallest = np.minimum(size, smallest)
    return modes


def _stored(blocks: NDArray[np.uint8], modes: NDArray[np.uint8], mode: int) -> Iterator[bytes]:
    """Yield what is stored of the blocks of a mode: bitmaps, then words."""
    rows, (word, before) = np.flatnonzero(modes == mode), MODES[mode]
    if not word:
        yield blocks[rows].tobytes()
        return
    for part in _parts(len(rows)):
        yield np.packbits(_words(blocks[rows[part]], word, before) != 0, axis=1).tobytes()
    for part in _parts(len(rows)):
        words = _words(blocks[rows[part]], word, before)
        yield words[words != 0].tobytes()


def _words(blocks: NDArray[np.uint8], word: int, before: int) -> NDArray[np.unsignedinteger]:
    """Return the words [n, BLOCK / word] of blocks [n, BLOCK], what stands before the first one last."""
    turned = np.roll(blocks, -before, axis=1) if before else np.ascontiguousarray(blocks)
    return turned.view(f"<u{word}")


def _parts(count: int) -> Iterator[slice]:
    return (slice(start, start + _AT_ONCE) for start in range(0, count, _AT_ONCE))
