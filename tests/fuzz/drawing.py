"""Random arguments for the kernels: what is right, and everything that an array or a number can be instead."""

from __future__ import annotations

__all__ = ["array_or_worse", "number_or_worse", "table"]

from typing import TYPE_CHECKING, Any

import numpy as np
from questions import with_shadow

from edge_rec_runtime.codes import BinaryTable, Fp16Table, Fp32Table, HammingTable, Int4Table, Int8Table, ItemTable, PqTable
from edge_rec_runtime.codes.shadow import Shadowed

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DTYPES = ("int8", "uint8", "int16", "int64", "uint64", "float16", "float32", "float64", ">f4", ">i8", "bool", "complex64", "S3")
_MOST = 2**24  # bytes that are copied
_NUMBERS: tuple[Any, ...] = (
    -(2**63),
    -1,
    0,
    1,
    2,
    2**31 - 1,
    2**31,
    2**32,
    2**63 - 1,
    2**64,
    1.5,
    float("nan"),
    None,
    "1",
    b"",
    [],
    True,
)
_OBJECTS: tuple[Any, ...] = (
    None,
    0,
    1.0,
    "array",
    b"bytes",
    bytearray(64),
    [1.0, 2.0],
    (),
    {},
    object(),
    type,
    memoryview(b"12345678"),
)


def table(rng: np.random.Generator) -> ItemTable:
    """Draw a table of any layout, of odd lengths and widths; often with ties, zeros, large and tiny values."""
    rows = int(rng.choice([1, 2, 7, 8, 15, 16, 17, 31, 33, 63, 65, int(rng.integers(1, 400))]))
    dims = int(rng.choice([1, 2, 3, 8, 15, 16, 17, 32, 63, 64, 65, 96, 100, 128, int(rng.integers(1, 300))]))
    values = rng.normal(size=(rows, dims)) * 10.0 ** rng.integers(-3, 4, size=(rows, 1) if rng.random() < 0.5 else ())
    if rng.random() < 0.4:
        values = np.sign(values) * rng.integers(0, 2, size=(rows, 1))
    floats = values.astype(np.float32)
    bias = rng.normal(size=rows).astype(np.float32) if rng.random() < 0.5 else None
    layout = rng.integers(7)
    if layout == 0:
        return BinaryTable.pack(floats > 0, *((None, None) if bias is None else (np.abs(floats).mean(axis=1), bias)))
    if layout == 1:
        return HammingTable(np.packbits(floats > 0, axis=1), dims=dims)
    if layout == 2:
        pieces, width = int(rng.integers(1, 20)), int(rng.integers(1, 5))
        books = rng.normal(size=(pieces, int(rng.integers(1, 257)), width))
        return PqTable.pack(rng.integers(books.shape[1], size=(rows, pieces)), books, bias)
    kinds: tuple[Any, ...] = (Int8Table, Fp32Table, Fp16Table, Int4Table)
    made: ItemTable = kinds[layout - 3].encode(floats, bias)
    return with_shadow(made) if isinstance(made, Shadowed) and rng.random() < 0.5 else made


def number_or_worse(rng: np.random.Generator) -> Any:  # noqa: ANN401 - that is the point
    """Draw what is given where a number is expected."""
    return _NUMBERS[rng.integers(len(_NUMBERS))]


def array_or_worse(rng: np.random.Generator, array: NDArray[Any]) -> Any:  # noqa: ANN401, C901, PLR0911, PLR0912 - a way a line
    """Draw what is given where an array is expected: another dtype, shape, order, alignment, content, or no array."""
    if array.nbytes > _MOST or not array.size:  # worse already
        return array
    match rng.integers(14):
        case 0:
            with np.errstate(all="ignore"):
                return array.astype(rng.choice(_DTYPES))
        case 1:
            return array[::-1]
        case 2:
            return array[..., ::2]
        case 3:
            return array.T if array.ndim > 1 else array[None]
        case 4:
            return array[..., None]
        case 5:
            return array[: len(array) // 2]
        case 6:
            return np.concatenate([array, array])
        case 7:
            return _misaligned(array)
        case 8:
            return np.empty((0, *array.shape[1:]), array.dtype)
        case 9:
            return np.frombuffer(rng.bytes(array.nbytes), array.dtype).reshape(array.shape)
        case 10:
            return np.broadcast_to(array[:1], (3_000_000_000, *array.shape[1:]))
        case 11:
            return array.reshape(()) if array.size == 1 else array.ravel()
        case 12:
            return memoryview(array.tobytes())
        case _:
            return _OBJECTS[rng.integers(len(_OBJECTS))]


def _misaligned(array: NDArray[Any]) -> NDArray[Any]:
    held = np.zeros(array.nbytes + 1, np.uint8)
    held[1:] = np.frombuffer(array.tobytes(), np.uint8)
    return held[1:].view(array.dtype).reshape(array.shape)
