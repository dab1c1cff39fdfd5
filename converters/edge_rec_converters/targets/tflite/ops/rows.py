"""Rows of quantised tables, decoded as they are looked up: the dialect's ``RowLookup``.

Twenty thousand rows of 64 numbers, 50 of them a call, one thread; latency relative to GATHER of float32 rows, and bytes of a row:

- int8 codes by GATHER and CAST: 1.3 and 68, against 2.2 and 76 for EMBEDDING_LOOKUP of int8.
- int4, two codes as 16 a + b in one int8, taken apart by rounding: 1.6 and 36 at any width and in every engine, against 1.1 and
  44 for EMBEDDING_LOOKUP of INT4, which wants an even width and which ``tflite_runtime`` 2.14 does not have.
- binary, bytes that look up their eight signs in a table of 256: 2.0 and 12, against 1.1 and 28 for EMBEDDING_LOOKUP of INT2,
  which old engines do not have either.

``python benchmarks/tflite_forms.py --only rows`` prints these figures.
The decoded rows equal the dialect's reference to the bit; ``pytest tests/converters/tflite/test_tflite_rows.py`` shows it.
"""

from __future__ import annotations

__all__ = ["OPS"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.dialect import LAYOUTS
from edge_rec_converters.row_codes import pack_int4, unpack_int4, unpack_signs
from edge_rec_converters.targets.tflite.ops._wide import BITS, widened
from edge_rec_converters.targets.tflite.ops.elementwise import binary, scalar, unary
from edge_rec_converters.targets.tflite.ops.gathering import gather
from edge_rec_converters.targets.tflite.ops.reshaping import reshape
from edge_rec_converters.targets.tflite.ops.slicing import take_first

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering

_BYTES = np.arange(256, dtype=np.uint8)[:, None]
_SIGNS, _NIBBLES = unpack_signs(_BYTES, 8), unpack_int4(_BYTES, 2)


def _lookup(graph: Lowering, call: Call) -> Value:
    """``RowLookup(indices, codes, scales, centre)``."""
    codes, layout, width = call.constant(1, "the codes"), call.attributes.get("layout"), call.attributes.get("width", 0)
    if layout not in _DECODERS:
        raise call.error(f"layout={layout!r} is not known; the dialect has {', '.join(_DECODERS)}")
    scales = None if call.optional(2) is None else call.constant(2, "the scales")
    count = len(codes) if scales is None else len(scales)
    if codes.dtype != (np.int8 if layout == "int8" else np.uint8) or codes.shape != (count, -(-width // LAYOUTS[layout])):
        raise call.error(f"codes {codes.dtype}{list(codes.shape)} do not fit {count} scales and the width {width}")
    rows = _wide(graph, call, width) if call[1].multiplied else _DECODERS[layout](graph, call, width)
    if scales is not None:
        column = graph.known(np.ascontiguousarray(scales[:, None]), name=call[2].name)
        rows = binary(graph, "MUL", rows, gather(graph, column, call[0]))
    centre = call.optional(3)
    return rows if centre is None else binary(graph, "ADD", rows, centre)


def _wide(graph: Lowering, call: Call, width: int) -> Value:
    """Of a table that is multiplied as well, the file has the codes as products want them, and no others."""
    codes = widened(call)
    if BITS[call.attributes["layout"]] == 8:
        rows = _cast(graph, gather(graph, graph.known(codes, name=call[1].name), call[0]), np.float32)
    else:
        rows = _unpacked(graph, gather(graph, graph.known(pack_int4(codes), name=call[1].name), call[0]), _NIBBLES)
    return take_first(graph, rows, rows.rank - 1, width)


def _int8(graph: Lowering, call: Call, _: int) -> Value:
    return _cast(graph, gather(graph, call[1], call[0]), np.float32)


def _int4(graph: Lowering, call: Call, width: int) -> Value:
    """A byte is 16 a + b with a and b in [-7, 7], so a is the byte / 16, rounded; the left half of a row is b, the right a."""
    codes = unpack_int4(call.constant(1, "the codes"), width).astype(np.int16)
    half = -(-width // 2)
    right = np.zeros((len(codes), half), np.int16)
    right[:, : width - half] = codes[:, half:]
    if min(codes.min(initial=0), right.min(initial=0)) < -7:
        raise call.error("an int4 code is -8; the dialect keeps codes in [-7, 7]")
    pairs = graph.known((16 * right + codes[:, :half]).astype(np.int8), name=call[1].name)
    both = _cast(graph, gather(graph, pairs, call[0]), np.float32)
    high = unary(graph, "ROUND", binary(graph, "MUL", both, scalar(graph, 1 / 16, both)))
    low = binary(graph, "SUB", both, binary(graph, "MUL", high, scalar(graph, 16, high)))
    joined = graph.emit("CONCATENATION", [low, high], (*both.shape[:-1], 2 * half), axis=both.rank - 1)
    return take_first(graph, joined, joined.rank - 1, width)


def _binary(graph: Lowering, call: Call, width: int) -> Value:
    """Every byte stands for eight signs, kept once a file in a table of 2 KB."""
    flat = _unpacked(graph, gather(graph, call[1], call[0]), _SIGNS)
    return take_first(graph, flat, flat.rank - 1, width)


def _unpacked(graph: Lowering, rows: Value, every: NDArray[np.int8]) -> Value:
    """Return what bytes [..., n] stand for, [..., n * codes] float32, by a table [256, codes] of what each does."""
    codes = gather(graph, graph.known(every), _cast(graph, rows, np.int32))
    return reshape(graph, _cast(graph, codes, np.float32), (*rows.shape[:-1], every.shape[1] * rows.shape[-1]))


def _cast(graph: Lowering, x: Value, dtype: type[np.generic]) -> Value:
    return graph.emit("CAST", [x], x.shape, dtype)


_DECODERS: dict[str, Callable[[Lowering, Call, int], Value]] = {"int8": _int8, "int4": _int4, "binary": _binary}

OPS: dict[str, Callable[[Lowering, Call], Value]] = {"edge_rec::RowLookup": _lookup}
