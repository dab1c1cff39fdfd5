"""An item table as constants of a graph, each once: the look-up and the scores read the same ones.

Rows of zeros stand behind the items. Row ``items`` is where all that is no event points to, so that no look-up can miss; more of
them fill the last of the groups in which the best are sought. They are never answered.
"""

from __future__ import annotations

__all__ = ["Stored", "as_floats", "require_form", "stored"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir

from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_converters.retriever.sketch import Sketch
    from edge_rec_runtime import ItemTable

# layout of the runtime -> the part of a table that holds its values or codes
_CODES = {"fp32": "values", "fp16": "values", "int8": "codes", "int4": "codes", "binary": "bits"}


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The constants of a table.

    Attributes:
        layout: Key of `_CODES`.
        width: Values or codes in a row.
        codes: [rows, ...], as the layout has them.
        scales: [rows] float32; None where every scale is 1.
        bias: [rows] float16 or float32, as the bundle has it; None without one.
        projection: [width, dims] float32, what turns signs into a vector; None where they are one.
    """

    layout: str
    width: int
    codes: ir.Value
    scales: ir.Value | None
    bias: ir.Value | None
    projection: ir.Value | None

    @property
    def is_float(self) -> bool:
        """Whether its values are floats, which a query is multiplied with as it is."""
        return self.layout in {"fp32", "fp16"}


def require_form(layout: str, role: str) -> None:
    """Refuse a layout that a graph cannot hold.

    Raises:
        ConversionError: The layout has no form in a graph.
    """
    if layout not in _CODES:
        raise ConversionError(
            f"{role}={layout} has no form in a retriever graph, whose engines cannot look a product up in a codebook; "
            f"use one of {', '.join(_CODES)}"
        )


def stored(sketch: Sketch, table: ItemTable, role: str, *, rows: int) -> Stored:
    """Add a table to a graph.

    Args:
        sketch: Takes the constants.
        table: Its layout is one of `_CODES`.
        role: What it is in the bundle, which names the constants.
        rows: Of the constants; more than the table has.

    Raises:
        ConversionError: The layout has no form in a graph.
    """
    require_form(table.layout, role)
    parts = table.parts()

    def constant(name: str, dtype: type[np.generic] | None = None) -> ir.Value | None:
        return sketch.constant(f"{role}.{name}", _lengthened(parts[name], rows, dtype)) if name in parts else None

    codes = constant(_CODES[table.layout])
    if codes is None:
        raise AssertionError(f"a table in {table.layout} has {_CODES[table.layout]}")
    return Stored(
        layout=table.layout,
        width=getattr(table, "width", table.dims),
        codes=codes,
        scales=constant("scales", np.float32),
        bias=constant("bias"),
        projection=sketch.constant(f"{role}.projection", parts["projection"]) if "projection" in parts else None,
    )


def as_floats(sketch: Sketch, value: ir.Value) -> ir.Value:
    """Return a constant as float32; what is cast from half precision is half as long in the file, and an engine casts it once."""
    return sketch.cast(value, ir.DataType.FLOAT) if value.dtype == ir.DataType.FLOAT16 else value


def _lengthened(array: NDArray[Any], rows: int, dtype: type[np.generic] | None) -> NDArray[Any]:
    """Return an array with zeros behind its rows."""
    long = np.zeros((rows, *array.shape[1:]), dtype or array.dtype)
    long[: len(array)] = array
    return long
