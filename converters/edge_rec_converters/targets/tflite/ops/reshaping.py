"""The same elements under another shape, in another order, or repeated."""

from __future__ import annotations

__all__ = ["OPS", "fill", "positions", "reshape", "transpose"]


from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite._sizes import Dim, Shape, Size, at_least, broadcast, divide, product

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import DTypeLike

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering


def reshape(graph: Lowering, x: Value, shape: Shape) -> Value:
    """Give ``x`` a new shape; one unknown size is left to the engine, more are computed from tensors that have them."""
    if x.shape == shape:
        return x
    if x.rows is not None:
        return replace(x, shape=shape)
    unknown = [axis for axis, size in enumerate(shape) if isinstance(size, Size)]
    target: Sequence[Dim] = shape
    if len(unknown) == 1 and 0 not in shape:
        target = [-1 if axis in unknown else size for axis, size in enumerate(shape)]
    return graph.emit("RESHAPE", [x, graph.known(np.array(target, object))], shape)


def transpose(graph: Lowering, x: Value, order: Sequence[int]) -> Value:
    """Reorder the axes; a reshape where only axes of size 1 move."""
    if list(order) == list(range(x.rank)):
        return x
    shape = tuple(x.shape[axis] for axis in order)
    moved = [axis for axis in order if x.shape[axis] != 1]
    if moved == sorted(moved):
        return reshape(graph, x, shape)
    return graph.emit("TRANSPOSE", [x, graph.known(np.array(order, np.int32))], shape)


def fill(graph: Lowering, shape: Shape, number: float, dtype: DTypeLike) -> Value:
    """Return a tensor of one number, a constant where the shape is known."""
    if not any(isinstance(size, Size) for size in shape):
        return graph.known(np.full(shape, number, dtype))
    return graph.emit("FILL", [graph.known(np.array(shape, object)), graph.known(np.array(number, dtype))], shape, dtype)


def positions(graph: Lowering, length: Dim) -> Value:
    """Return 0, 1, ..., length - 1 as int32."""
    if isinstance(length, int):
        return graph.known(np.arange(length))
    bounds = [graph.known(np.array(0, np.int32)), graph.known(np.array(length, object)), graph.known(np.array(1, np.int32))]
    return graph.emit("RANGE", bounds, (length,), np.int32)


def broadcast_to(graph: Lowering, x: Value, shape: Shape) -> Value:
    """Repeat ``x`` along its axes of size 1."""
    if x.shape == shape:
        return x
    return graph.emit("BROADCAST_TO", [x, graph.known(np.array(shape, object))], shape)


def _sizes(call: Call, position: int) -> Shape:
    """Return a shape that the model computes from the shapes of its tensors."""
    known = call[position].known
    if known is None:
        raise call.error("the shape depends on what is in a tensor; TFLite plans shapes before it sees the data")
    return tuple(size if isinstance(size, Size) else int(size) for size in known)


def _reshape(graph: Lowering, call: Call) -> Value:
    x, target = call[0], list(_sizes(call, 1))
    if not call.attributes.get("allowzero", 0):
        target = [x.shape[axis] if size == 0 else size for axis, size in enumerate(target)]
    if -1 in target:
        rest = product(size for size in target if size != -1)
        target[target.index(-1)] = 0 if rest == 0 else divide(product(x.shape), rest)
    return reshape(graph, x, tuple(target))


def _axes(call: Call) -> list[int] | None:
    if call.optional(1) is not None:
        return [int(axis) for axis in call.constant(1, "the list of axes")]
    return call.attributes.get("axes")


def _squeeze(graph: Lowering, call: Call) -> Value:
    x, axes = call[0], _axes(call)
    drop = {axis for axis, size in enumerate(x.shape) if size == 1} if axes is None else {call.axis(a, x.rank) for a in axes}
    return reshape(graph, x, tuple(size for axis, size in enumerate(x.shape) if axis not in drop))


def _unsqueeze(graph: Lowering, call: Call) -> Value:
    x, axes = call[0], _axes(call) or []
    rank = x.rank + len(axes)
    new, old = {call.axis(axis, rank) for axis in axes}, iter(x.shape)
    return reshape(graph, x, tuple(1 if axis in new else next(old) for axis in range(rank)))


def _flatten(graph: Lowering, call: Call) -> Value:
    x, axis = call[0], call.attributes.get("axis", 1)
    cut = axis if axis == call[0].rank else call.axis(axis, x.rank)
    return reshape(graph, x, (product(x.shape[:cut]), product(x.shape[cut:])))


def _expand(graph: Lowering, call: Call) -> Value:
    return broadcast_to(graph, call[0], broadcast(call[0].shape, _sizes(call, 1)))


def _transpose(graph: Lowering, call: Call) -> Value:
    return transpose(graph, call[0], call.attributes.get("perm", range(call[0].rank)[::-1]))


def _constant_of_shape(graph: Lowering, call: Call) -> Value:
    value = call.attributes.get("value")
    number = np.zeros(1, np.float32) if value is None else value.numpy()
    return fill(graph, _sizes(call, 0), number.item(), np.int32 if number.dtype == np.int64 else number.dtype)


def _dropout(_: Lowering, call: Call) -> tuple[Value, None]:
    """Outside of training it does nothing."""
    training = call.optional(2)
    if training is not None and (training.constant is None or training.constant.any()):
        raise call.error("it still drops elements; call eval() on the module before it is converted")
    return call[0], None


def _range(graph: Lowering, call: Call) -> Value:
    start, end, step = (call[position].known for position in range(3))
    if start is not None and end is not None and step is not None:
        bounds = [start.item(), end.item(), step.item()]
        if not any(isinstance(bound, Size) for bound in bounds):
            return graph.known(np.arange(*bounds).astype(call[0].dtype))
    if start is None or end is None or step is None or step.item() != 1 or call[0].dtype != np.int32:
        raise call.error("TFLite takes a range of integers in steps of 1 between sizes; cast or scale it afterwards")
    first, length = start.item(), end.item() - start.item()
    if not at_least(length, 1):
        raise call.error(f"a range of {length} may be empty; start it at 0")
    steps = positions(graph, length)
    return steps if first == 0 else graph.emit("ADD", [steps, graph.known(np.array(first, object))], steps.shape)


def _trilu(graph: Lowering, call: Call) -> Value:
    """Keep one side of the diagonal: compare row and column numbers, then choose."""
    x = call[0]
    shift = int(call.constant(1, "the diagonal")) if call.optional(1) is not None else 0
    rows = reshape(graph, positions(graph, x.shape[-2]), (x.shape[-2], 1))
    columns = reshape(graph, positions(graph, x.shape[-1]), (1, x.shape[-1]))
    diagonal = graph.emit("ADD", [rows, graph.known(np.array(shift, np.int32))], rows.shape) if shift else rows
    compare = "GREATER_EQUAL" if call.attributes.get("upper", 1) else "LESS_EQUAL"
    keep = graph.emit(compare, [columns, diagonal], x.shape[-2:], np.bool_)
    if x.dtype == np.bool_:
        return graph.emit("LOGICAL_AND", [x, keep], x.shape)
    return graph.emit("SELECT_V2", [keep, x, graph.known(np.zeros((), x.dtype))], x.shape, x.dtype)


OPS: dict[str, Callable[[Lowering, Call], Value | tuple[Value, None]]] = {
    "ConstantOfShape": _constant_of_shape,
    "Dropout": _dropout,
    "Expand": _expand,
    "Flatten": _flatten,
    "Identity": lambda _, call: call[0],
    "Range": _range,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Trilu": _trilu,
    "Unsqueeze": _unsqueeze,
}
