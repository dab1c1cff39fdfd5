"""Tensors put together, taken apart, and made longer."""

from __future__ import annotations

__all__ = ["OPS", "concat", "lengthened", "split"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite._sizes import Dim, Size, broadcast, divide
from edge_rec_converters.targets.tflite.ops.reshaping import broadcast_to

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering


def _concat(graph: Lowering, call: Call) -> Value:
    parts = [call[position] for position in range(len(call.inputs))]
    return concat(graph, parts, call.axis(call.attributes["axis"], parts[0].rank))


def concat(graph: Lowering, parts: Sequence[Value], axis: int) -> Value:
    """Put tensors one behind the other along an axis."""
    if len(parts) == 1:
        return parts[0]
    total: Dim = 0
    for part in parts:
        total = total + part.shape[axis]
    common = broadcast(*((*part.shape[:axis], 1, *part.shape[axis + 1 :]) for part in parts))
    return graph.emit("CONCATENATION", parts, (*common[:axis], total, *common[axis + 1 :]), axis=axis)


def _split(graph: Lowering, call: Call) -> tuple[Value, ...]:
    x = call[0]
    axis = call.axis(call.attributes.get("axis", 0), x.rank)
    sizes: list[Dim]
    if call.optional(1) is not None or "split" in call.attributes:
        given = call.attributes["split"] if call.optional(1) is None else call.constant(1, "the list of sizes")
        sizes = [int(size) for size in given]
    else:
        each = _share(x.shape[axis], len(call.used))
        sizes = [each] * (len(call.used) - 1) + [x.shape[axis] - each * (len(call.used) - 1)]
    return split(graph, x, axis, sizes)


def split(graph: Lowering, x: Value, axis: int, sizes: Sequence[Dim]) -> tuple[Value, ...]:
    """Cut a tensor along an axis."""
    shapes = [(*x.shape[:axis], size, *x.shape[axis + 1 :]) for size in sizes]
    place = graph.known(np.array(axis, np.int32))
    if len(set(sizes)) == 1:
        return graph.emit_all("SPLIT", [place, x], shapes, x.dtype, numSplits=len(sizes))
    return graph.emit_all("SPLIT_V", [x, graph.known(np.array(sizes, object)), place], shapes, numSplits=len(sizes))


def _share(size: Dim, parts: int) -> Dim:
    """Return the size of each part but the last, which takes what is left."""
    return -(-size // parts) if isinstance(size, int) else divide(size, parts)


def _pad(graph: Lowering, call: Call) -> Value:
    x = call[0]
    if call.attributes.get("mode", "constant") != "constant":
        raise call.error("only padding with a constant has a TFLite operator")
    pads = call.constant(1, "the padding").reshape(2, -1)
    axes = range(x.rank) if call.optional(3) is None else call.constant(3, "the list of axes")
    amounts = np.zeros((x.rank, 2), np.int32)
    for axis, amount in zip(axes, pads.T, strict=True):
        amounts[call.axis(int(axis), x.rank)] = amount
    if (amounts < 0).any():
        raise call.error("negative padding has no TFLite operator; slice instead")
    number = call.optional(2) or graph.known(np.zeros((), x.dtype))
    shape = tuple(size + int(amount.sum()) for size, amount in zip(x.shape, amounts, strict=True))
    return graph.emit("PADV2", [x, graph.known(amounts), number], shape)


def lengthened(graph: Lowering, x: Value, multiple: int) -> Value:
    """Return ``x`` with zeros behind its last axis, whose fixed size becomes the next multiple of a number."""
    width = x.shape[-1]
    missing = 0 if isinstance(width, Size) else -width % multiple
    if not missing:
        return x
    amounts = np.zeros((x.rank, 2), np.int32)
    amounts[-1, 1] = missing
    return graph.emit("PAD", [x, graph.known(amounts)], (*x.shape[:-1], width + missing))


def _tile(graph: Lowering, call: Call) -> Value:
    x, counts = call[0], call[1].known
    if counts is None:
        raise call.error("the number of repeats depends on what is in a tensor")
    repeats = [count if isinstance(count, Size) else int(count) for count in counts]
    shape = tuple(size * count for size, count in zip(x.shape, repeats, strict=True))
    if all(size in {1, after} for size, after in zip(x.shape, shape, strict=True)):
        return broadcast_to(graph, x, shape)
    return graph.emit("TILE", [x, graph.known(counts)], shape)


OPS: dict[str, Callable[[Lowering, Call], Value | tuple[Value, ...]]] = {
    "Concat": _concat,
    "Pad": _pad,
    "Split": _split,
    "Tile": _tile,
}
