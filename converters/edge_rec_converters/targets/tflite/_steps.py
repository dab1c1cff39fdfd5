"""The states of a recurrence after each step, where all that is read of them is a weighted sum: the last event's, or a mean.

To collect the states, a loop carries room for all of them, which LiteRT copies as a whole in every step. So they are not
collected until an operator reads them; reordering axes and multiplying by weights only take note, and a sum over the steps
becomes a loop that adds up as it goes. Fifty steps of 128 units that keep their states take 1.1 times as long at batch 1 and 1.8
at batch 32 (``python benchmarks/tflite_forms.py --only loops``).
"""

from __future__ import annotations

__all__ = ["AXES", "Steps", "follow"]

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from edge_rec_converters.targets.tflite._call import Value
from edge_rec_converters.targets.tflite._sizes import broadcast
from edge_rec_converters.targets.tflite.ops.reshaping import reshape, transpose

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call
    from edge_rec_converters.targets.tflite._lowering import Lowering
    from edge_rec_converters.targets.tflite._sizes import Shape

    Handler: TypeAlias = Callable[[Lowering, Call], Value | tuple[Value | None, ...]]

AXES = "ldbu"  # length, directions (one), batch, units: as a recurrence gives them


@dataclass(frozen=True, kw_only=True)
class Steps:
    """States that are not collected yet.

    Attributes:
        collect: Writes the loop that keeps them all, and what was done to them since.
        total: Writes the loop that adds them up, by weights [length, batch or 1, units or 1] -> [batch, units].
        axes: A letter of `AXES` for each axis of the value.
        weights: What they have been multiplied by, as it broadcasts against the value.
    """

    collect: Callable[[], Value]
    total: Callable[[Value], Value]
    axes: str = AXES
    weights: Value | None = None


def follow(graph: Lowering, call: Call, handler: Handler) -> Value | None:
    """Return the result of a node that reads states as they are noted down, or None where they have to be collected.

    Args:
        graph: Where the node stands.
        call: Any node.
        handler: Writes the node with its inputs collected.
    """
    given = next((value for value in call.inputs if value is not None and value.steps is not None), None)
    if given is None or call.op not in _FOLLOWED:
        return None

    def collect() -> Value:
        results = handler(graph, call)
        if isinstance(results, tuple):
            raise call.error("it gave more than one result")
        return results

    return _FOLLOWED[call.op](graph, call, given, collect)


def _transposed(_: Lowering, call: Call, x: Value, collect: Callable[[], Value]) -> Value | None:
    steps = x.steps
    if steps is None or steps.weights is not None:
        return None
    order = call.attributes.get("perm", range(x.rank)[::-1])
    axes = "".join(steps.axes[axis] for axis in order)
    return _noted(x, replace(steps, axes=axes, collect=collect), tuple(x.shape[axis] for axis in order))


def _without_directions(_: Lowering, call: Call, x: Value, collect: Callable[[], Value]) -> Value | None:
    """Squeeze, or a Reshape to the same shape without the axis of the one direction."""
    steps = x.steps
    if steps is None or steps.weights is not None or "d" not in steps.axes:
        return None
    place = steps.axes.index("d")
    shape = (*x.shape[:place], *x.shape[place + 1 :])
    known = None if call.optional(1) is None else call[1].known
    if known is None:
        return None
    fits = [int(axis) % x.rank for axis in known] == [place] if call.op == "Squeeze" else _is_shape(tuple(known), shape, x.shape)
    return _noted(x, replace(steps, axes=steps.axes.replace("d", ""), collect=collect), shape) if fits else None


def _is_shape(asked: Shape, shape: Shape, given: Shape) -> bool:
    """Tell whether the sizes that a Reshape asks for are those of a shape: 0 keeps an axis, one -1 takes what is left."""
    if len(asked) != len(shape) or list(asked).count(-1) > 1:
        return False
    kept = [given[axis] if size == 0 else size for axis, size in enumerate(asked)]
    return all(size in (-1, wanted) for size, wanted in zip(kept, shape, strict=True))


def _weighted(_: Lowering, call: Call, x: Value, collect: Callable[[], Value]) -> Value | None:
    steps = x.steps
    weights = call[1] if call[0] is x else call[0]
    if steps is None or steps.weights is not None or weights.steps is not None or "d" in steps.axes or weights.rank > x.rank:
        return None
    length = (*(1,) * (x.rank - weights.rank), *weights.shape)[steps.axes.index("l")]
    if broadcast(weights.shape, x.shape) != x.shape or length != x.shape[steps.axes.index("l")]:
        return None
    return _noted(x, replace(steps, weights=weights, collect=collect), x.shape)


def _summed(graph: Lowering, call: Call, x: Value, _: Callable[[], Value]) -> Value | None:
    steps = x.steps
    axes = None if call.optional(1) is None else call[1].constant
    if steps is None or steps.weights is None or axes is None:
        return None
    place = steps.axes.index("l")
    if [int(axis) % x.rank for axis in axes] != [place]:
        return None
    weights = steps.weights
    weights = reshape(graph, weights, (*(1,) * (x.rank - weights.rank), *weights.shape))
    total = steps.total(transpose(graph, weights, [steps.axes.index(letter) for letter in "lbu"]))
    left = steps.axes.replace("l", "")
    total = transpose(graph, total, ["bu".index(letter) for letter in left])
    if not call.attributes.get("keepdims", 1):
        return total
    return reshape(graph, total, (*total.shape[:place], 1, *total.shape[place:]))


def _noted(x: Value, steps: Steps, shape: Shape) -> Value:
    return Value(shape, np.dtype(x.dtype), steps=steps)


_FOLLOWED: dict[str, Callable[[Lowering, Call, Value, Callable[[], Value]], Value | None]] = {
    "Mul": _weighted,
    "ReduceSum": _summed,
    "Reshape": _without_directions,
    "Squeeze": _without_directions,
    "Transpose": _transposed,
}
