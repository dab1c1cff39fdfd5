"""Scaled dot-product attention, which ONNX has as one operator from opset 23 on."""

from __future__ import annotations

__all__ = ["OPS"]

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite._sizes import Shape, Size, broadcast, divide
from edge_rec_converters.targets.tflite.ops.elementwise import binary, scalar
from edge_rec_converters.targets.tflite.ops.matmul import product
from edge_rec_converters.targets.tflite.ops.normalisation import softmax
from edge_rec_converters.targets.tflite.ops.reshaping import positions, reshape, transpose

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering

_NEVER = -1e9  # a logit that softmax turns to exactly 0, and that stays finite when masks are added


def _attention(graph: Lowering, call: Call) -> Value:
    """softmax(query key^T scale + mask) value, over [batch, heads, length, width]."""
    given = call[0]
    if [value for value in call.inputs[4:] if value is not None] or call.attributes.get("softcap", 0.0):
        raise call.error("past keys and softcap have no TFLite form here; export the model without a key-value cache")
    query, key, value = (_heads(graph, call, position) for position in range(3))
    if (query.shape[1], query.shape[1]) != (key.shape[1], value.shape[1]):
        raise call.error("grouped heads have no TFLite form here; repeat the keys and values to the number of query heads")
    width = query.shape[-1]
    if isinstance(width, Size):
        raise call.error("the width of a head must be a number")
    scale = call.attributes.get("scale") or 1 / sqrt(width)
    query = binary(graph, "MUL", query, scalar(graph, scale, query))
    logits = product(graph, query, key, transposed=True)
    for mask in _masks(graph, call, logits.shape[-2:]):
        logits = binary(graph, "ADD", logits, mask)
    mixed = product(graph, softmax(graph, logits), value)
    if given.rank == 4:
        return mixed
    batch, heads, length, width = mixed.shape
    return reshape(graph, transpose(graph, mixed, (0, 2, 1, 3)), (batch, length, heads * width))


def _heads(graph: Lowering, call: Call, position: int) -> Value:
    """Return an input as [batch, heads, length, width]."""
    x = call[position]
    if x.rank == 4:
        return x
    heads = call.attributes.get("kv_num_heads" if position else "q_num_heads", 1)
    batch, length, width = x.shape
    return transpose(graph, reshape(graph, x, (batch, length, heads, divide(width, heads))), (0, 2, 1, 3))


def _masks(graph: Lowering, call: Call, shape: Shape) -> list[Value]:
    """Return what is added to the logits: the mask that is given, and a triangle if attention is causal."""
    masks = []
    mask = call.optional(3)
    if mask is not None:
        masks.append(mask if mask.dtype != np.bool_ else _additive(graph, mask))
    if call.attributes.get("is_causal", 0):
        rows = reshape(graph, positions(graph, shape[0]), (shape[0], 1))
        columns = reshape(graph, positions(graph, shape[1]), (1, shape[1]))
        seen = graph.emit("LESS_EQUAL", [columns, rows], broadcast(columns.shape, rows.shape), np.bool_)
        masks.append(_additive(graph, seen))
    return masks


def _additive(graph: Lowering, keep: Value) -> Value:
    numbers = [graph.known(np.array(number, np.float32)) for number in (0.0, _NEVER)]
    return graph.emit("SELECT_V2", [keep, *numbers], keep.shape, np.float32)


OPS: dict[str, Callable[[Lowering, Call], Value]] = {"Attention": _attention}
