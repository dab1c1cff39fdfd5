"""Codes of a table that is looked up and multiplied: in the file once, in the form that products want.

Behind the codes of a row come at least two zeros, which make products exact (see `products`), and as many as make the row a
multiple of eight wide. Signs are stored in four bits, as int4 codes are.
"""

from __future__ import annotations

__all__ = ["BITS", "widened"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_converters.dialect import LAYOUTS
from edge_rec_converters.row_codes import unpack_int4, unpack_signs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edge_rec_converters.targets.tflite._call import Call

BITS = {"int8": 8, "int4": 4, "binary": 4}  # of a code in the file
_MULTIPLE = 8
_ZEROS = 2


def widened(call: Call) -> NDArray[np.int8]:
    """Return the codes [rows, wide] int8 of a node whose second input they are.

    Raises:
        ConversionError: They are computed, or not of their layout and width.
    """
    codes, layout, width = call.constant(1, "the codes"), call.attributes.get("layout"), call.attributes.get("width", 0)
    if layout not in BITS:
        raise call.error(f"layout={layout!r} is not known; the dialect has {', '.join(BITS)}")
    if codes.ndim != 2 or codes.shape[1] != -(-width // LAYOUTS[layout]):
        raise call.error(f"codes {codes.dtype}{list(codes.shape)} do not fit the width {width}")
    wide = np.zeros((len(codes), -(-(width + _ZEROS) // _MULTIPLE) * _MULTIPLE), np.int8)
    wide[:, :width] = _UNPACKED[layout](codes, width)
    return wide


_UNPACKED: dict[str, Callable[[NDArray[Any], int], NDArray[np.int8]]] = {
    "int8": lambda codes, _: codes,
    "int4": unpack_int4,
    "binary": unpack_signs,
}
