"""Nodes whose inputs are known are computed now: the integer graphs that exporters write around shapes.

Everything is numpy; sizes that are not numbers yet take part as objects (see `_sizes`).
"""

from __future__ import annotations

__all__ = ["fold"]

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_rec_converters.targets.tflite._sizes import Size, at_least, divide

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call

Array: TypeAlias = NDArray[Any]
_LARGEST = 1 << 16  # elements; what is larger is a weight, which an operator handles better than the file does


def fold(call: Call) -> Array | None:
    """Return the result of a node if all its inputs are known, else None."""
    if call.op in ("Shape", "Size"):
        return _shape(call) if call.op == "Shape" else np.array(_total(call), object)
    if call.op not in FOLDS or not call.inputs:
        return None
    arrays = [None if value is None else value.known for value in call.inputs]
    if any(array is None and value is not None for array, value in zip(arrays, call.inputs, strict=True)):
        return None
    if sum(array.size for array in arrays if array is not None) > _LARGEST:
        return None
    folded = FOLDS[call.op](call, *arrays)
    return None if folded is None else np.asarray(folded)


def _shape(call: Call) -> Array:
    shape = np.array(call[0].shape, object)
    return shape[call.attributes.get("start", 0) : call.attributes.get("end")]


def _total(call: Call) -> Any:  # noqa: ANN401  # a Dim, as an array element
    return np.prod(np.array((1, *call[0].shape), object))


def _divide(_: Call, total: Array, part: Array) -> Array:
    if np.issubdtype(total.dtype, np.floating):
        return np.asarray(total / part)
    if object in (total.dtype, part.dtype):
        return np.asarray(np.frompyfunc(divide, 2, 1)(total, part))
    return np.trunc(total / part).astype(total.dtype)


def _equal(call: Call, a: Array, b: Array) -> Array:
    def same(x: object, y: object) -> bool:
        if x == y or (isinstance(x, int) and isinstance(y, int)):
            return bool(x == y)
        if all(isinstance(size, int | Size) for size in (x, y)):
            difference = x - y  # type: ignore[operator]  # both are sizes
            if isinstance(difference, int) or at_least(difference, 1) or at_least(-difference, 1):
                return False
        raise call.error(f"whether {x} equals {y} depends on the input; shapes may not branch on it")

    if object not in (a.dtype, b.dtype):
        return np.asarray(np.equal(a, b))
    return np.asarray(np.frompyfunc(same, 2, 1)(a, b)).astype(np.bool_)


def _slice(
    _: Call, data: Array, starts: Array, ends: Array, axes: Array | None = None, steps: Array | None = None
) -> Array | None:
    if object in (starts.dtype, ends.dtype):
        return None  # a table cut to the running length
    numbers = range(len(starts)) if axes is None else axes
    index = [slice(None)] * data.ndim
    for position, axis in enumerate(numbers):
        step = 1 if steps is None else int(steps[position])
        end: int | None = int(ends[position])
        if step < 0 and end is not None and end < -data.shape[axis]:
            end = None
        index[axis] = slice(int(starts[position]), end, step)
    return data[tuple(index)]


def _squeeze(call: Call, data: Array, axes: Array | None = None) -> Array:
    given = call.attributes.get("axes") if axes is None else axes
    return np.squeeze(data, axis=None if given is None else tuple(int(axis) for axis in given))


def _unsqueeze(call: Call, data: Array, axes: Array | None = None) -> Array:
    return np.expand_dims(data, tuple(int(axis) for axis in (call.attributes["axes"] if axes is None else axes)))


def _cast(call: Call, data: Array) -> Array | None:
    to = call.attributes["to"].numpy()
    if data.dtype == np.float16:
        return None  # a half float stays one in the file
    if data.dtype != object:
        return data.astype(to)
    return data if np.issubdtype(to, np.integer) else None  # a size that becomes a float is computed in the file


def _product(call: Call, data: Array, axes: Array | None = None) -> Array:
    given = call.attributes.get("axes") if axes is None else tuple(int(axis) for axis in axes)
    return np.asarray(np.prod(data, axis=given or None, keepdims=bool(call.attributes.get("keepdims", 1))))


FOLDS: dict[str, Callable[..., Array | None]] = {
    "Add": lambda _, a, b: a + b,
    "And": lambda _, a, b: a & b,
    "Cast": _cast,
    "Concat": lambda call, *parts: np.concatenate(parts, axis=call.attributes["axis"]),
    "Div": _divide,
    "Equal": _equal,
    "Gather": lambda call, data, rows: np.take(data, rows.astype(np.int64), axis=call.attributes.get("axis", 0)),
    "Identity": lambda _, a: a,
    "Mul": lambda _, a, b: a * b,
    "Neg": lambda _, a: -a,
    "Not": lambda _, a: ~a,
    "ReduceProd": _product,
    "Reshape": lambda _, data, shape: data.reshape(shape.astype(np.int64)),
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Sub": lambda _, a, b: a - b,
    "Transpose": lambda call, a: np.transpose(a, call.attributes.get("perm")),
    "Unsqueeze": _unsqueeze,
    "Where": lambda _, condition, a, b: np.asarray(np.where(condition, a, b)),
}
