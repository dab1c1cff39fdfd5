"""Arrays as version 1.0 ``.npy`` members, without parsing: dtype and shape stand in the manifest, and give the header.

The header that they give is compared with the one in the file, so nothing from outside is ever evaluated.
"""

from __future__ import annotations

__all__ = ["DTYPES", "header", "view"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_runtime.errors import BundleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# dtype in the manifest -> dtype in the file
DTYPES: dict[str, str] = {
    "float32": "<f4",
    "float16": "<f2",
    "int8": "|i1",
    "uint8": "|u1",
    "int32": "<i4",
    "uint16": "<u2",
    "uint32": "<u4",
}

_ALIGNMENT = 64


def header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """Return the header of a row-major array, padded so that the data starts on a boundary of 64 bytes."""
    axes = "".join(f"{axis}, " for axis in shape).rstrip() if len(shape) == 1 else ", ".join(map(str, shape))
    text = f"{{'descr': '{DTYPES[dtype]}', 'fortran_order': False, 'shape': ({axes}), }}"
    length = -(-(10 + len(text) + 1) // _ALIGNMENT) * _ALIGNMENT - 10
    return b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + text.ljust(length - 1).encode("ascii") + b"\n"


def view(data: memoryview, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return a member's array without copying.

    Args:
        data: The member's bytes.
        dtype: A key of `DTYPES`.
        shape: Row-major.

    Raises:
        BundleError: The bytes are not exactly that array.
    """
    head = header(dtype, shape)
    expected = len(head) + int(np.dtype(DTYPES[dtype]).itemsize * _product(shape))
    if len(data) != expected or data[: len(head)] != head:
        raise BundleError(f"holds no {dtype} array {list(shape)} of {expected} bytes, as the manifest says; the file is damaged")
    return np.frombuffer(data[len(head) :], dtype=DTYPES[dtype]).reshape(shape)


def _product(shape: tuple[int, ...]) -> int:
    product = 1
    for axis in shape:
        product *= axis
    return product
