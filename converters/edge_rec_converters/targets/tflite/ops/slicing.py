"""Slices: bounds that are numbers or sizes, and what they leave of an axis."""

from __future__ import annotations

__all__ = ["OPS", "take_first", "take_front", "take_one"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite._sizes import Dim, Shape, Size, at_least

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering

_FAR = 1 << 30  # exporters write "to the end" as the largest integer of some width


@dataclass(frozen=True)
class _Cut:
    """One axis of a slice.

    Attributes:
        begin: First element, counted from the end if negative; None for the first one in the direction of ``step``.
        end: Where it stops, in the same way; None for behind the last one.
        step: Distance of two elements.
        size: What is left of the axis.
    """

    begin: Dim | None
    end: Dim | None
    step: int
    size: Dim


def take_one(graph: Lowering, x: Value, axis: int, position: int) -> Value:
    """Return one element of an axis, which goes; a negative position counts from the end."""
    return _strided_slice(graph, x, {axis: _Cut(position, None if position == -1 else position + 1, 1, 1)}, drop=True)


def take_first(graph: Lowering, x: Value, axis: int, count: int) -> Value:
    """Return the first elements of an axis of known size."""
    return x if x.shape[axis] == count else _strided_slice(graph, x, {axis: _Cut(None, count, 1, count)})


def take_front(graph: Lowering, x: Value, shape: Shape) -> Value:
    """Return the first elements of each axis, as many as ``shape`` says."""
    cuts = {axis: _Cut(None, size, 1, size) for axis, size in enumerate(shape) if size != x.shape[axis]}
    return _strided_slice(graph, x, cuts) if cuts else x


def _strided_slice(graph: Lowering, x: Value, cuts: Mapping[int, _Cut], *, drop: bool = False) -> Value:
    """Cut some axes; with ``drop`` they go."""
    every = [cuts.get(axis, _Cut(None, None, 1, size)) for axis, size in enumerate(x.shape)]
    begins = graph.known(np.array([cut.begin or 0 for cut in every], object))
    ends = graph.known(np.array([cut.end or 0 for cut in every], object))
    steps = graph.known(np.array([cut.step for cut in every], np.int32))
    return graph.emit(
        "STRIDED_SLICE",
        [x, begins, ends, steps],
        tuple(cut.size for axis, cut in enumerate(every) if not drop or axis not in cuts),
        beginMask=sum((cut.begin is None) << axis for axis, cut in enumerate(every)),
        endMask=sum((cut.end is None) << axis for axis, cut in enumerate(every)),
        shrinkAxisMask=sum(1 << axis for axis in cuts) if drop else 0,
    )


def _slice(graph: Lowering, call: Call) -> Value:
    x = call[0]
    begins, ends = (_bounds(call, position) for position in (1, 2))
    axes = range(len(begins)) if call.optional(3) is None else call.constant(3, "the list of axes")
    steps = [1] * len(begins) if call.optional(4) is None else call.constant(4, "the step")
    cuts = {}
    for begin, end, numbered, step in zip(begins, ends, axes, steps, strict=True):
        axis = call.axis(int(numbered), x.rank)
        cuts[axis] = _cut(call, axis, begin, end, int(step))
    cuts = {axis: cut for axis, cut in cuts.items() if cut != _Cut(None, None, 1, x.shape[axis])}
    return _strided_slice(graph, x, cuts) if cuts else x


def _bounds(call: Call, position: int) -> list[Dim]:
    known = call[position].known
    if known is None:
        raise call.error("the bounds depend on what is in a tensor; TFLite plans shapes before it sees the data")
    return [bound if isinstance(bound, Size) else int(bound) for bound in known]


def _cut(call: Call, axis: int, begin: Dim, end: Dim, step: int) -> _Cut:
    size = call[0].shape[axis]
    if isinstance(size, int) and isinstance(begin, int) and isinstance(end, int):
        return _cut_numbers(size, begin, end, step)
    if step < 0:
        if step != -1 or not _is_whole_backwards(begin, end):
            raise call.error(
                "a slice that runs backwards over a part of an axis has no TFLite form; flip the axis, then slice it"
            )
        return _Cut(None, None, -1, size)
    first, last = _from_front(begin, size), _from_front(end, size)
    left: Dim = last - first
    # Bounds that an axis of one element has, too, need no clipping; elsewhere only the engine knows what is left.
    sure = step == 1 and at_least(left, 0) and all(_is_inside(bound, size) for bound in (first, last))
    return _Cut(
        None if begin == 0 else begin,
        None if last == size else end,
        step,
        left if sure else Size.symbol(f"{call.where}.{axis}"),
    )


def _cut_numbers(size: int, begin: int, end: int, step: int) -> _Cut:
    numbers = range(size)[slice(begin, None if step < 0 and end < -size else end, step)]
    if numbers == range(size):
        return _Cut(None, None, 1, size)
    return _Cut(numbers.start, numbers.stop if numbers.stop >= 0 else None, step, len(numbers))


def _is_whole_backwards(begin: Dim, end: Dim) -> bool:
    return isinstance(begin, int) and (begin == -1 or begin >= _FAR) and isinstance(end, int) and end <= -_FAR


def _from_front(bound: Dim, size: Dim) -> Dim:
    if isinstance(bound, Size):
        return bound
    return size if bound >= _FAR else size + bound if bound < 0 else bound


def _is_inside(bound: Dim, size: Dim) -> bool:
    return at_least(bound, 0) and (isinstance(bound, Size) or bound <= 1 or isinstance(size, int))


OPS: dict[str, Callable[[Lowering, Call], Value]] = {"Slice": _slice}
