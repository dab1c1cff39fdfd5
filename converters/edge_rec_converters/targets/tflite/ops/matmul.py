"""Matrix products: fully connected layers where one side is a weight, batched products elsewhere."""

from __future__ import annotations

__all__ = ["OPS", "batched", "dense", "product"]


from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite._sizes import Size, broadcast
from edge_rec_converters.targets.tflite.ops.elementwise import binary, scalar
from edge_rec_converters.targets.tflite.ops.reshaping import reshape, transpose

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering


def dense(graph: Lowering, x: Value, weight: Value, bias: Value | None, *, version: int = 5) -> Value:
    """Multiply the last axis of ``x`` [..., K] with ``weight`` [N, K] and add ``bias`` [N]."""
    shape = (*x.shape[:-1], weight.shape[0])
    return graph.emit("FULLY_CONNECTED", [x, weight, bias], shape, np.float32, version=version, keepNumDims=True)


def _matmul(graph: Lowering, call: Call) -> Value:
    """The optional third input is a bias that was added to the product and nothing else."""
    a, b, bias = call[0], call[1], call.optional(2)
    if a.shape and b.shape:
        inner = a.shape[-1], b.shape[-2 if b.rank > 1 else 0]
        if inner[0] != inner[1] and not any(isinstance(size, Size) for size in inner):
            raise call.error(f"the inner sizes {inner[0]} and {inner[1]} differ")
    if b.constant is not None and b.rank == 2 and a.rank >= 2:
        return dense(graph, a, _turned(graph, b), bias)
    result = batched(graph, a, b)
    return result if bias is None else binary(graph, "ADD", result, bias)


def _turned(graph: Lowering, weight: Value) -> Value:
    """Return a constant weight [K, N] as [N, K]."""
    return graph.known(np.ascontiguousarray(np.asarray(weight.constant).T), name=weight.name, half=weight.half)


def product(graph: Lowering, a: Value, b: Value, *, transposed: bool = False) -> Value:
    """Multiply two computed matrices, or stacks of them; ``transposed`` takes ``b`` as [..., columns, inner]."""
    columns = b.shape[-2 if transposed else -1]
    shape = (*broadcast(a.shape[:-2], b.shape[:-2]), a.shape[-2], columns)
    return graph.emit("BATCH_MATMUL", [a, b], shape, adjY=transposed)


def batched(graph: Lowering, a: Value, b: Value) -> Value:
    """Multiply as numpy does; TFLite wants two axes or more on both sides."""
    left = reshape(graph, a, (1, *a.shape)) if a.rank == 1 else a
    right = reshape(graph, b, (*b.shape, 1)) if b.rank == 1 else b
    result = product(graph, left, right)
    rows = () if a.rank == 1 else result.shape[-2:-1]
    columns = () if b.rank == 1 else result.shape[-1:]
    return reshape(graph, result, (*result.shape[:-2], *rows, *columns))


def _gemm(graph: Lowering, call: Call) -> Value:
    a, b, bias = call[0], call[1], call.optional(2)
    alpha, beta = call.attributes.get("alpha", 1.0), call.attributes.get("beta", 1.0)
    if call.attributes.get("transA", 0):
        a = transpose(graph, a, (1, 0))
    if bias is not None and beta != 1.0:
        bias = binary(graph, "MUL", bias, scalar(graph, beta, bias))
    transposed = bool(call.attributes.get("transB", 0))
    if b.constant is not None and alpha == 1.0:
        weight = b if transposed else _turned(graph, b)
        if bias is None or bias.shape == weight.shape[:1]:
            return dense(graph, a, weight, bias)
        result = dense(graph, a, weight, None)
    else:
        result = product(graph, a, b, transposed=transposed)
        if alpha != 1.0:
            result = binary(graph, "MUL", result, scalar(graph, alpha, result))
    return result if bias is None else binary(graph, "ADD", result, bias)


OPS: dict[str, Callable[[Lowering, Call], Value]] = {"Gemm": _gemm, "MatMul": _matmul}
