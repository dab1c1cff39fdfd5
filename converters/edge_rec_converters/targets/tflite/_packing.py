"""What the generated flatbuffer classes leave out: aligned buffers, and vectors that are written once.

The schema wants constant data on 16-byte boundaries, which the generated Python code ignores; an engine that maps the file
would have to copy the weights. It also writes the zero points of per-channel weights (8 bytes a channel, all zero) anew for
every tensor; here equal vectors share one place in the file.
"""

# mypy: disable-error-code="no-untyped-call"
# The generated schema classes and the flatbuffers builder come without types.
from __future__ import annotations

__all__ = ["Buffer", "Quantization", "packed"]

from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

if TYPE_CHECKING:
    from flatbuffers.builder import Builder
    from numpy.typing import NDArray

_ALIGNMENT = 16


class Buffer(schema.BufferT):
    """The bytes of one constant, on a 16-byte boundary of the file."""

    def __init__(self, values: NDArray[Any] | None = None) -> None:
        super().__init__()
        self.values = values

    def Pack(self, builder: Builder) -> int:  # noqa: N802  # overrides the generated name
        """Write the buffer and return its place."""
        place = None
        if self.values is not None and self.values.size:
            data = np.ascontiguousarray(self.values).reshape(-1).view(np.uint8).data
            place = _vector(builder, data, len(data), _ALIGNMENT)
        schema.BufferStart(builder)
        if place is not None:
            schema.BufferAddData(builder, place)
        return int(schema.BufferEnd(builder))


class Quantization(schema.QuantizationParametersT):
    """Symmetric scales of an int8 constant along its first axis, one a row, or one for all.

    Args:
        scales: [rows] or [1] float32.
        shared: Places of vectors already written, by their bytes; one dict a file.
    """

    def __init__(self, scales: NDArray[np.float32], shared: dict[bytes, int]) -> None:
        super().__init__()
        self.scales, self.shared = scales, shared

    def Pack(self, builder: Builder) -> int:  # noqa: N802  # overrides the generated name
        """Write the parameters and return their place."""
        places = []
        for vector in (self.scales.astype("<f4"), np.zeros(len(self.scales), "<i8")):
            data = vector.tobytes()
            if data not in self.shared:
                self.shared[data] = _vector(builder, data, len(vector), vector.itemsize)
            places.append(self.shared[data])
        schema.QuantizationParametersStart(builder)
        schema.QuantizationParametersAddScale(builder, places[0])
        schema.QuantizationParametersAddZeroPoint(builder, places[1])
        return int(schema.QuantizationParametersEnd(builder))


def packed(codes: NDArray[np.int8], bits: int) -> NDArray[np.uint8]:
    """Return int8 codes as integers of 4 or 2 bits, two's complement, lowest bits first, across the ends of rows."""
    each = 8 // bits
    flat = np.zeros(-(-codes.size // each) * each, np.uint8)
    flat[: codes.size] = codes.reshape(-1).view(np.uint8) & ((1 << bits) - 1)
    places = flat.reshape(-1, each)
    total = np.zeros(len(places), np.uint8)
    for place in range(each):
        total |= places[:, place] << (bits * place)
    return total


def _vector(builder: Builder, data: bytes | memoryview, length: int, alignment: int) -> int:
    """Write ``length`` elements as they stand in ``data`` and return their place."""
    builder.StartVector(len(data) // length, length, alignment)
    builder.head -= len(data)
    builder.Bytes[builder.head : builder.head + len(data)] = data
    return int(builder.EndVector())
