"""Parts of tensors, and tensors put together."""

from __future__ import annotations

__all__ = ["OPS"]

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_rec_converters.targets.tflite._lowering import Call, Lowering, Value
from edge_rec_converters.targets.tflite._sizes import Dim, Shape, Size, broadcast, divide
from edge_rec_converters.targets.tflite.ops.reshaping import broadcast_to, transpose

_FAR = 1 << 30  # exporters write "to the end" as the largest integer of some width


@dataclass(frozen=True)
class _Cut:
    """One axis of a slice: bounds as TFLite reads them (None: from or to the end of the axis) and the size that is left."""

    begin: Dim | None
    end: Dim | None
    step: int
    size: Dim


def _cut(size: Dim, begin: Dim, end: Dim, step: int, name: str) -> _Cut:
    """Resolve one axis; ``name`` is for a size that only the engine will know."""
    if isinstance(size, int) and isinstance(begin, int) and isinstance(end, int):
        numbers = range(*slice(begin, None if step < 0 and end < -size else end, step).indices(size))
        if len(numbers) == size and step == 1:
            return _Cut(None, None, 1, size)
        last: int | None = numbers.stop if numbers.stop >= 0 else None
        return _Cut(numbers.start, last, step, len(numbers))
    if step < 0:
        whole = begin in (-1, size) or (isinstance(begin, int) and begin >= _FAR)
        whole = whole and isinstance(end, int) and end <= -_FAR
        return _Cut(None, None, step, size if whole and step == -1 else Size.symbol(name))
    first: Dim | None = None if begin == 0 else begin
    to_end = end == size or (isinstance(end, int) and end >= _FAR)
    start = size + begin if isinstance(begin, int) and begin < 0 else begin
    stop = size if to_end else size + end if isinstance(end, int) and end < 0 else end
    left: Dim = stop - start
    # Counted from two ends, or past what is certainly there, the size is cut where the axis ends.
    certain = (begin == 0 or to_end or isinstance(begin, Size) or (isinstance(begin, int) == isinstance(end, int))) and (
        isinstance(left, Size) or left <= 1 or not isinstance(size, Size)
    )
    return _Cut(first, None if to_end else end, step, left if certain and step == 1 else Size.symbol(name))


def strided_slice(graph: Lowering, x: Value, cuts: dict[int, _Cut], *, drop: bool = False) -> Value:
    """Cut some axes; with ``drop`` each of them keeps its first element and goes."""
    begins: list[Dim] = [0] * x.rank
    ends: list[Dim] = [0] * x.rank
    strides = [1] * x.rank
    begin_mask = end_mask = shrink = 0
    shape: list[Dim] = []
    for axis, size in enumerate(x.shape):
        cut = cuts.get(axis, _Cut(None, None, 1, size))
        begins[axis] = 0 if cut.begin is None else cut.begin
        ends[axis] = 0 if cut.end is None else cut.end
        strides[axis] = cut.step
        begin_mask |= (cut.begin is None) << axis
        end_mask |= (cut.end is None) << axis
        if drop and axis in cuts:
            shrink |= 1 << axis
        else:
            shape.append(cut.size)
    bounds = [graph.known(np.array(numbers, object)) for numbers in (begins, ends, strides)]
    masks = {"beginMask": begin_mask, "endMask": end_mask, "shrinkAxisMask": shrink}
    return graph.emit("STRIDED_SLICE", [x, *bounds], tuple(shape), **masks)


def _slice(graph: Lowering, call: Call) -> Value:
    x = call[0]
    given = [call[position].known for position in (1, 2)]
    if given[0] is None or given[1] is None:
        raise call.error("the bounds depend on what is in a tensor; TFLite plans shapes before it sees the data")
    axes = range(len(given[0])) if call.optional(3) is None else call.constant(3, "the list of axes")
    steps = [1] * len(given[0]) if call.optional(4) is None else call.constant(4, "the step")
    cuts = {}
    for begin, end, axis, step in zip(*given, axes, steps, strict=True):
        number = call.axis(int(axis), x.rank)
        bounds = (bound if isinstance(bound, Size) else int(bound) for bound in (begin, end))
        cut = _cut(x.shape[number], *bounds, int(step), f"{call.where}.{number}")
        if cut != _Cut(None, None, 1, x.shape[number]):
            cuts[number] = cut
    return strided_slice(graph, x, cuts) if cuts else x


def _from_front(graph: Lowering, rows: Value, sizes: Shape) -> Value:
    """Count indices from the front: TFLite refuses the negative ones that ONNX allows."""
    if rows.constant is not None and not any(isinstance(size, Size) for size in sizes):
        return graph.known(np.mod(rows.constant, np.array(sizes)).reshape(rows.shape).astype(np.int32))
    limits = graph.known(np.array(sizes if len(sizes) > 1 else sizes[0], object))
    return graph.emit("FLOOR_MOD", [rows, limits], rows.shape)


def _gather(graph: Lowering, call: Call) -> Value:
    x, rows = call[0], call[1]
    axis = call.axis(call.attributes.get("axis", 0), x.rank)
    if rows.constant is not None and rows.rank == 0:
        row = int(rows.constant)
        return strided_slice(graph, x, {axis: _Cut(row, None if row == -1 else row + 1, 1, 1)}, drop=True)
    shape = (*x.shape[:axis], *rows.shape, *x.shape[axis + 1 :])
    return graph.emit("GATHER", [x, _from_front(graph, rows, x.shape[axis : axis + 1])], shape, axis=axis)


def _gather_elements(graph: Lowering, call: Call) -> Value:
    """With the gathered axis last, each row of ``x`` is indexed by its own row of indices: a batched GATHER."""
    x, rows = call[0], call[1]
    axis = call.axis(call.attributes.get("axis", 0), x.rank)
    others = tuple(size for place, size in enumerate(rows.shape) if place != axis)
    if others != tuple(size for place, size in enumerate(x.shape) if place != axis):
        raise call.error("indices that cover a part of the other axes have no TFLite operator; slice the data to them first")
    order = [place for place in range(x.rank) if place != axis] + [axis]
    data, index = transpose(graph, x, order), transpose(graph, _from_front(graph, rows, x.shape[axis : axis + 1]), order)
    batch = x.rank - 1
    result = graph.emit("GATHER", [data, index], index.shape, axis=batch, batchDims=batch, version=5)
    return transpose(graph, result, list(np.argsort(order)))


def _gather_nd(graph: Lowering, call: Call) -> Value:
    x, rows = call[0], call[1]
    depth = rows.shape[-1]
    if call.attributes.get("batch_dims", 0) or isinstance(depth, Size):
        raise call.error("batch_dims other than 0 have no TFLite operator; gather along one axis instead")
    index = _from_front(graph, rows, x.shape[:depth])
    return graph.emit("GATHER_ND", [x, index], (*rows.shape[:-1], *x.shape[depth:]))


def _concat(graph: Lowering, call: Call) -> Value:
    parts = [call[position] for position in range(len(call.inputs))]
    axis = call.axis(call.attributes["axis"], parts[0].rank)
    total: Dim = 0
    for part in parts:
        total = total + part.shape[axis]
    shapes = [(*part.shape[:axis], 1, *part.shape[axis + 1 :]) for part in parts]
    common = broadcast(*shapes)
    return graph.emit("CONCATENATION", parts, (*common[:axis], total, *common[axis + 1 :]), axis=axis)


def _split(graph: Lowering, call: Call) -> tuple[Value, ...]:
    x = call[0]
    axis = call.axis(call.attributes.get("axis", 0), x.rank)
    if call.optional(1) is not None:
        sizes: list[Dim] = [int(size) for size in call.constant(1, "the list of sizes")]
    elif "split" in call.attributes:
        sizes = list(call.attributes["split"])
    else:
        each = x.shape[axis] if call.outputs == 1 else _share(x.shape[axis], call.outputs)
        sizes = [each] * (call.outputs - 1) + [x.shape[axis] - each * (call.outputs - 1)]
    shapes = [(*x.shape[:axis], size, *x.shape[axis + 1 :]) for size in sizes]
    place = graph.known(np.array(axis, np.int32))
    if len(set(sizes)) == 1:
        return graph.emit_all("SPLIT", [place, x], shapes, x.dtype, numSplits=len(sizes))
    lengths = graph.known(np.array(sizes, object))
    return graph.emit_all("SPLIT_V", [x, lengths, place], shapes, numSplits=len(sizes))


def _share(size: Dim, parts: int) -> Dim:
    """Return the size of each part but the last, which takes what is left."""
    return -(-size // parts) if isinstance(size, int) else divide(size, parts)


def _pad(graph: Lowering, call: Call) -> Value:
    x = call[0]
    if call.attributes.get("mode", "constant") != "constant":
        raise call.error("only padding with a constant has a TFLite operator")
    pads = [int(pad) for pad in call.constant(1, "the padding")]
    axes = range(x.rank) if call.optional(3) is None else [call.axis(int(a), x.rank) for a in call.constant(3, "the axes")]
    amounts = np.zeros((x.rank, 2), np.int32)
    for position, axis in enumerate(axes):
        amounts[axis] = pads[position], pads[position + len(pads) // 2]
    if (amounts < 0).any():
        raise call.error("negative padding has no TFLite operator; slice instead")
    number = call.optional(2) or graph.known(np.zeros((), x.dtype))
    shape = tuple(size + int(amount.sum()) for size, amount in zip(x.shape, amounts, strict=True))
    return graph.emit("PADV2", [x, graph.known(amounts), number], shape)


def _tile(graph: Lowering, call: Call) -> Value:
    x, counts = call[0], call[1].known
    if counts is None:
        raise call.error("the number of repeats depends on what is in a tensor")
    shape = tuple(
        size * count if isinstance(count, Size) else size * int(count) for size, count in zip(x.shape, counts, strict=True)
    )
    if all(size == 1 or after == size for size, after in zip(x.shape, shape, strict=True)):
        return broadcast_to(graph, x, shape)
    return graph.emit("TILE", [x, graph.known(counts)], shape)


OPS: dict[str, Callable[[Lowering, Call], Value | tuple[Value, ...]]] = {
    "Concat": _concat,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "Pad": _pad,
    "Slice": _slice,
    "Split": _split,
    "Tile": _tile,
}
