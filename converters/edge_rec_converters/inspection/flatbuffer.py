"""Read a flatbuffer from outside: every offset is checked before it is followed, and the work has an end.

The readers that schema compilers generate follow offsets as they come. A few bytes can then name a vector of two thousand
million tables that are all the same one. Format: https://flatbuffers.dev/internals/
"""

from __future__ import annotations

__all__ = ["Flatbuffer", "Table"]

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

# Elements of vectors that are walked one by one; a large model has some ten thousand.
_MOST_STEPS = 1_000_000
_UOFFSET = 4


class Flatbuffer:
    """The bytes of a flatbuffer, and how much of the work is left."""

    def __init__(self, content: bytes | memoryview, *, name: str) -> None:
        self._content = memoryview(content)
        self._name = name
        self._left = _MOST_STEPS

    def __len__(self) -> int:
        """Return the number of bytes."""
        return len(self._content)

    def root(self) -> Table:
        """Return the outermost table."""
        return self.table(self.follow(0))

    def number(self, kind: str, at: int) -> int:
        """Return a number in the `struct` format ``kind``, little-endian."""
        size = struct.calcsize(f"<{kind}")
        if not 0 <= at <= len(self._content) - size:
            raise self.error(f"an offset leads to byte {at}")
        value: int = struct.unpack_from(f"<{kind}", self._content, at)[0]
        return value

    def follow(self, at: int) -> int:
        """Return where the offset at a place leads."""
        return at + self.number("I", at)

    def table(self, at: int) -> Table:
        """Return the table at a place."""
        vtable = at - self.number("i", at)
        size = self.number("H", vtable)
        if size < 4 or size % 2 or vtable + size > len(self._content):
            raise self.error(f"a table of fields has {size} bytes")
        return Table(self, at, tuple(self.number("H", vtable + 4 + 2 * field) for field in range((size - 4) // 2)))

    def span(self, at: int, width: int) -> tuple[int, int]:
        """Return where the elements of the vector at a place start, and how many there are."""
        count = self.number("I", at)
        if at + 4 + count * width > len(self._content):
            raise self.error(f"a vector has {count} elements")
        return at + 4, count

    def step(self) -> None:
        """Count one element that is walked."""
        self._left -= 1
        if self._left < 0:
            raise self.error(f"it has more than {_MOST_STEPS:,} parts")

    def bytes_at(self, start: int, count: int) -> memoryview:
        """Return a part of the buffer that was found to be inside."""
        return self._content[start : start + count]

    def error(self, what: str) -> ConversionError:
        """Return the one sentence for a damaged file."""
        return ConversionError(
            f"{self._name}: {what}, and the file has {len(self)} bytes; it is damaged, copy or export it again"
        )


@dataclass(frozen=True)
class Table:
    """One table: its fields by number, absent ones with their default."""

    buffer: Flatbuffer
    at: int
    fields: tuple[int, ...]

    def _place(self, field: int) -> int | None:
        offset = self.fields[field] if field < len(self.fields) else 0
        return self.at + offset if offset else None

    def number(self, field: int, kind: str, default: int = 0) -> int:
        """Return a number in the `struct` format ``kind``."""
        place = self._place(field)
        return default if place is None else self.buffer.number(kind, place)

    def text(self, field: int) -> str:
        """Return a string, whatever its bytes."""
        place = self._place(field)
        if place is None:
            return ""
        start, count = self.buffer.span(self.buffer.follow(place), 1)
        return bytes(self.buffer.bytes_at(start, min(count, 1000))).decode("utf-8", errors="replace")

    def array(self, field: int, dtype: str) -> NDArray[np.generic]:
        """Return a vector of numbers, of a little-endian numpy type, as a view."""
        place = self._place(field)
        if place is None:
            return np.empty(0, dtype)
        width = np.dtype(dtype).itemsize
        start, count = self.buffer.span(self.buffer.follow(place), width)
        return np.frombuffer(self.buffer.bytes_at(start, count * width), dtype)

    def table(self, field: int) -> Table | None:
        """Return a table inside."""
        place = self._place(field)
        return None if place is None else self.buffer.table(self.buffer.follow(place))

    def tables(self, field: int) -> Iterator[Table]:
        """Yield the tables of a vector."""
        place = self._place(field)
        if place is None:
            return
        start, count = self.buffer.span(self.buffer.follow(place), _UOFFSET)
        for index in range(count):
            self.buffer.step()
            yield self.buffer.table(self.buffer.follow(start + index * _UOFFSET))
