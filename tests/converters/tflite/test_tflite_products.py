"""Products, sums and normalisations against ONNX Runtime, with batch and length left open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tflite_files import WIDTH, equals_onnx_runtime

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = np.random.default_rng(0).standard_normal((WIDTH, 4)).astype(np.float32)
SQUARE = np.random.default_rng(1).standard_normal((WIDTH, WIDTH)).astype(np.float32)
LINE = np.arange(4, dtype=np.float32)

# One graph a line, from x [batch, length, 6] and m [batch, length] to y.
GRAPHS = {
    "argmax": "i = ArgMax<axis = -1, keepdims = 0>(x) y = Cast<to = 1>(i)",
    "argmin keeps": "y = ArgMin<axis = 1>(x)",
    "softmax of heads": "i = Constant<value_ints = [2]>() r = Unsqueeze(x, i) t = Transpose<perm = [0,2,1,3]>(r) y = Softmax(t)",
    "cumsum": "a = Constant<value_int = 1>() y = CumSum(x, a)",
    "cumsum exclusive reverse": "a = Constant<value_int = -1>() y = CumSum<exclusive = 1, reverse = 1>(m, a)",
    "einsum of one": 'y = Einsum<equation = "bld->db">(x)',
    "einsum mixes": 'y = Einsum<equation = "bld,bl->bd">(x, m)',
    "einsum of rows": 'y = Einsum<equation = "bld,bkd->bkl">(x, x)',
    "einsum sums out": 'y = Einsum<equation = "bld,bl->d">(x, m)',
    "log softmax": "y = LogSoftmax<axis = -1>(x)",
    "reduce l2": "y = ReduceL2<keepdims = 0>(x)",
    "reduce max": "a = Constant<value_ints = [1]>() y = ReduceMax<keepdims = 0>(x, a)",
    "reduce mean": "a = Constant<value_ints = [-1,1]>() y = ReduceMean(x, a)",
    "reduce min": "a = Constant<value_ints = [-1]>() y = ReduceMin(x, a)",
    "reduce nothing": "y = ReduceSum<noop_with_empty_axes = 1>(x)",
    "reduce prod": "a = Constant<value_ints = [2]>() y = ReduceProd<keepdims = 0>(x, a)",
    "reduce sum square": "a = Constant<value_ints = [0]>() y = ReduceSumSquare(x, a)",
    "softmax": "y = Softmax(x)",
    "softmax over events": "y = Softmax<axis = 1>(x)",
    "einsum of three": 'y = Einsum<equation = "bld,bl,bkd->bkl">(x, m, x)',
    "einsum with an ellipsis": "i = Constant<value_ints = [1]>() u = Unsqueeze(x, i) "
    'y = Einsum<equation = "...ld,...kd->...lk">(u, u)',
    "einsum without a result": 'y = Einsum<equation = "bld,bkd">(x, x)',
    "einsum sums all": 'y = Einsum<equation = "bld,bld->">(x, x)',
    "einsum of an outer product": 'y = Einsum<equation = "bl,bk->blk">(m, m)',
    "integers reduced": "i = Cast<to = 7>(x) a = Constant<value_ints = [1]>() s = ReduceSum<keepdims = 0>(i, a) "
    "t = ReduceMax<keepdims = 0>(i, a) y = Sub(s, t)",
    "reduce l1": "a = Constant<value_ints = [1, 2]>() y = ReduceL1(x, a)",
    "reduce log sum": "e = Exp(x) a = Constant<value_ints = [1]>() y = ReduceLogSum<keepdims = 0>(e, a)",
    "reduce log sum exp": "h = Constant<value_float = 60.0>() e = Mul(x, h) a = Constant<value_ints = [-1]>() y = "
    "ReduceLogSumExp<keepdims = 0>(e, a)",
    "top k": "k = Constant<value_ints = [2]>() a, b = TopK(x, k) c = Cast<to = 1>(b) y = Add(a, c)",
    "top k of the smallest": "k = Constant<value_ints = [1]>() a, b = TopK<axis = 1, largest = 0>(x, k) c = Cast<to = 1>(b) "
    "y = Sub(a, c)",
    "top k of ties": "k = Constant<value_ints = [1]>() a, y = TopK<axis = -1>(m, k)",
    "matmul of events": "t = Transpose<perm = [0,2,1]>(x) y = MatMul(x, t)",
    "matmul of a mask": "i = Constant<value_ints = [1]>() u = Unsqueeze(m, i) y = MatMul(u, x)",
}

WEIGHTED: dict[str, tuple[str, dict[str, NDArray[Any]]]] = {
    "matmul": ("y = MatMul(x, w)", {"w": ROWS}),
    "matmul with a bias": ("p = MatMul(x, w) y = Add(b, p)", {"w": ROWS, "b": LINE}),
    "matmul read twice": ("p = MatMul(x, w) q = Add(b, p) y = Mul(p, q)", {"w": ROWS, "b": LINE}),
    "matmul with a weight on the left": ("t = Transpose<perm = [0,2,1]>(x) y = MatMul(w, t)", {"w": SQUARE}),
    "matmul with a vector": ("y = MatMul(x, w)", {"w": ROWS[:, 0]}),
    "matmul of a vector": ("t = Transpose<perm = [0,2,1]>(x) y = MatMul(w, t)", {"w": ROWS[:, 0]}),
    "matmul with a stack": ("y = MatMul(x, w)", {"w": ROWS[None]}),
    "gemm": ("s = ReduceSum<keepdims = 0>(x, a) y = Gemm(s, w, b)", {"w": ROWS, "b": LINE, "a": np.array([1])}),
    "gemm transposed and scaled": (
        "s = ReduceSum<keepdims = 0>(x, a) y = Gemm<transB = 1, alpha = 0.5, beta = 2.0>(s, w, b)",
        {"w": np.ascontiguousarray(ROWS.T), "b": LINE, "a": np.array([1])},
    ),
    "gemm of two inputs": (
        "s = ReduceSum<keepdims = 0>(x, a) t = Abs(s) y = Gemm<transA = 1>(s, t)",
        {"a": np.array([1])},
    ),
    "batch norm": (
        "t = Transpose<perm = [0,2,1]>(x) y = BatchNormalization<epsilon = 0.01>(t, s, b, a, v)",
        {"s": SQUARE[0], "b": SQUARE[1], "a": SQUARE[2], "v": np.abs(SQUARE[3])},
    ),
    "batch norm of rows": (
        "r = ReduceSum<keepdims = 0>(x, l) y = BatchNormalization(r, s, b, a, v)",
        {"s": SQUARE[0], "b": SQUARE[1], "a": SQUARE[2], "v": np.abs(SQUARE[3]), "l": np.array([1])},
    ),
    "group norm of groups": (
        "t = Transpose<perm = [0,2,1]>(x) y = GroupNormalization<num_groups = 2>(t, s, b)",
        {"s": SQUARE[0, :2], "b": SQUARE[1, :2]},
    ),
    "instance norm": (
        "t = Transpose<perm = [0,2,1]>(x) y = InstanceNormalization<epsilon = 0.1>(t, s, b)",
        {"s": SQUARE[0], "b": SQUARE[1]},
    ),
    "layer norm": ("y = LayerNormalization<epsilon = 0.001>(x, s, b)", {"s": SQUARE[0], "b": SQUARE[1]}),
    "layer norm without a bias": ("y = LayerNormalization(x, s)", {"s": SQUARE[0]}),
}
CASES = {name: (text, {}) for name, text in GRAPHS.items()} | WEIGHTED


@pytest.mark.parametrize(("text", "weights"), CASES.values(), ids=CASES)
def test_a_product_or_sum_equals_onnx_runtime(text: str, weights: dict[str, NDArray[Any]]) -> None:
    """One file gives ONNX Runtime's answer for one history of one event, a longer one, and a batch, one after the other."""
    equals_onnx_runtime(text, weights)
