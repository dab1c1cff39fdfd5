"""The arithmetic that layouts share: symmetric int8, exact integer products, and checks on what comes in."""

from __future__ import annotations

__all__ = [
    "BLOCK",
    "check_axes",
    "check_dims",
    "check_parts",
    "check_query",
    "check_rows",
    "check_values",
    "half_scales",
    "one_a_row",
    "peaks",
    "quantise",
    "quantise_query",
    "scan",
]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_runtime.errors import BundleError, ModelError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

BLOCK = 8192  # rows cast to float at a time: a mapped table never gets a float copy of its whole size

_EXACT = 2**24  # whole numbers below this, and so their sums, are exact in float32
_HALF_NORMAL, _HALF_MAX = 2.0**-14, 65504.0  # float16 keeps its 11 bits of precision between these


def check_values(values: NDArray[Any], what: str) -> NDArray[np.float32]:
    """Return an array as contiguous float32, or refuse it.

    Raises:
        ModelError: A value is NaN or infinite, or the array is not numeric.
    """
    if values.dtype.kind not in "fiu":
        raise ModelError(f"{what} is {values.dtype}; expected float32")
    with np.errstate(over="ignore"):
        floats = np.ascontiguousarray(values, dtype=np.float32)
    finite = np.isfinite(floats)
    if not finite.all():
        place = np.argwhere(~finite)[0].tolist()
        raise ModelError(
            f"{what} holds {floats[tuple(place)]} at {place}; every value must be finite, so train or export it again"
        )
    return floats


def check_axes(values: NDArray[Any]) -> None:
    """Refuse what is no table.

    Raises:
        ModelError: There are not two axes, or one is empty.
    """
    if values.ndim != 2 or 0 in values.shape:
        raise ModelError(f"the item table has shape {list(values.shape)}; expected [items, dims]")


def peaks(values: NDArray[Any], what: str) -> NDArray[np.float32]:
    """Return the largest magnitude of each row [n] float32 of values [n, d]; every value is checked.

    Raises:
        ModelError: See `check_values`.
    """
    found = np.empty(len(values), dtype=np.float32)
    for start in range(0, len(values), BLOCK):
        block = check_values(values[start : start + BLOCK], f"{what} from row {start} on")
        found[start : start + BLOCK] = np.abs(block).max(axis=1)
    return found


def one_a_row(values: NDArray[Any], rows: int, what: str, dtype: type[np.floating[Any]] = np.float32) -> NDArray[Any]:
    """Return values [rows] in the given dtype.

    Raises:
        ModelError: There are more or fewer, or one is not finite, or not in that dtype.
    """
    if values.shape != (rows,):
        raise ModelError(f"{what} has shape {list(values.shape)}; expected [{rows}], one an item")
    with np.errstate(over="ignore"):
        stored = check_values(values, what).astype(dtype)
    check_values(stored, f"{what} in {np.dtype(dtype).name}")
    return stored


def half_scales(scales: NDArray[np.float32]) -> NDArray[Any]:
    """Return scales as float16 where each keeps its precision there, else as they are."""
    used = scales[scales > 0]
    if used.size == 0 or (used.min() >= _HALF_NORMAL and used.max() <= _HALF_MAX):
        return scales.astype(np.float16)
    return scales


def quantise(values: NDArray[np.float32], scales: NDArray[np.float32], *, most: int = 127) -> NDArray[np.int8]:
    """Round values [n, d] by row to codes [n, d] in [-most, most], half to even; a row of scale 0 gets codes 0."""
    steps = np.where(scales > 0, scales, np.float32(np.inf))[:, None]
    return np.clip(np.rint(values / steps), -most, most).astype(np.int8)


def quantise_query(query: NDArray[np.float32]) -> tuple[NDArray[np.float32], np.float32]:
    """Return a query [d] as whole numbers in [-127, 127], held in float32, and their scale."""
    scale = np.float32(np.abs(query).max(initial=0)) / np.float32(127)
    if scale == 0:
        return np.zeros_like(query), np.float32(0)
    return np.clip(np.rint(query / scale), -127, 127).astype(np.float32), scale


def scan(
    query: NDArray[np.float32], rows: int, codes_of: Callable[[slice], NDArray[np.int8]], *, most: int
) -> tuple[NDArray[np.float32], np.float32]:
    """Score every row by its codes.

    Args:
        query: [d] float32, which is rounded to whole numbers.
        rows: How many there are.
        codes_of: Returns the codes [n, d] of some rows.
        most: Largest magnitude of a code.

    Returns:
        The dot products [rows] of whole numbers, rounded once to float32, and the scale of the query.
    """
    whole, scale = quantise_query(query)
    wide = np.dtype(np.float32 if len(query) * 127 * most < _EXACT else np.float64)
    factors = whole.astype(wide)
    dots = np.empty(rows, dtype=np.float32)
    for start in range(0, rows, BLOCK):
        part = slice(start, start + BLOCK)
        dots[part] = codes_of(part).astype(wide) @ factors
    return dots, scale


def check_query(query: NDArray[Any], dims: int) -> NDArray[np.float32]:
    """Return a query [dims] as float32.

    Raises:
        RequestError: It has another shape, or is not finite.
    """
    if query.shape != (dims,):
        raise RequestError(f"the query has shape {list(query.shape)}; this item table needs [{dims}]")
    floats = query.astype(np.float32, copy=False)
    if not np.isfinite(floats).all():
        raise RequestError("the query holds NaN or infinite values; the encoder that made it does not fit this input")
    return floats


def check_parts(
    layout: str,
    parts: Mapping[str, NDArray[Any]],
    expected: Mapping[str, tuple[tuple[str, ...], int]],
    *,
    optional: tuple[str, ...] = ("bias",),
) -> None:
    """Compare the arrays of a table with what its layout asks for.

    Args:
        layout: Name of the layout, for the message.
        parts: The arrays.
        expected: For each part the dtypes it may have and its number of axes.
        optional: The parts that may be missing.

    Raises:
        BundleError: A part is missing, unknown, or of a wrong dtype or shape.
    """
    for name, (dtypes, axes) in expected.items():
        if name not in parts:
            if name in optional:
                continue
            raise BundleError(f"the {layout} table lacks the array {name!r}; it needs {', '.join(expected)}")
        array = parts[name]
        if array.dtype.name not in dtypes or array.ndim != axes:
            raise BundleError(
                f"the {layout} table's {name!r} is {array.dtype.name} {list(array.shape)}; "
                f"expected {' or '.join(dtypes)}, {axes} axes"
            )
    for name in parts:
        if name not in expected:
            raise BundleError(f"the {layout} table has an array {name!r}; this layout has only {', '.join(expected)}")


def check_rows(layout: str, parts: Mapping[str, NDArray[Any]]) -> None:
    """Refuse arrays of a table that do not all have one entry a row.

    Raises:
        BundleError: They differ.
    """
    lengths = {name: len(part) for name, part in parts.items()}
    if len(set(lengths.values())) != 1:
        raise BundleError(f"the {layout} table's arrays differ in rows: {lengths}")


def check_dims(layout: str, found: int, dims: int) -> None:
    """Refuse a table of vectors of another width.

    Raises:
        BundleError: It has another.
    """
    if found != dims:
        raise BundleError(f"the {layout} table's vectors have {found} values; the manifest says {dims}, the file is damaged")
