"""Every ONNX operator of the table against ONNX Runtime on the same graph, with batch and length left open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tflite_recurrent import CASES as RECURRENT
from tflite_files import WIDTH, Engine, OnnxEngine, distance, feeds, graph

from edge_rec_converters.dialect import DOMAIN
from edge_rec_converters.dialect_reference import REFERENCE
from edge_rec_converters.targets.tflite import emit
from edge_rec_converters.targets.tflite.ops import OPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = ((1, 1), (1, 8), (7, 5))

# One graph a line, from x [batch, length, 6] and m [batch, length] to y.
GRAPHS = {
    "abs": "y = Abs(x)",
    "add a row": "w = Constant<value = float[6] {1,2,3,4,5,6}>() y = Add(x, w)",
    "and or xor not": "z = Constant<value_float = 0.3>() a = Less(x, z) b = Greater(x, z) n = Not(b) c = And(a, n) d = "
    "Or(c, b) "
    "e = Xor(d, a) y = Cast<to = 1>(e)",
    "argmax": "i = ArgMax<axis = -1, keepdims = 0>(x) y = Cast<to = 1>(i)",
    "argmin keeps": "y = ArgMin<axis = 1>(x)",
    "softmax of heads": "i = Constant<value_ints = [2]>() r = Unsqueeze(x, i) t = Transpose<perm = [0,2,1,3]>(r) y = Softmax(t)",
    "cast": "i = Cast<to = 7>(x) j = Cast<to = 6>(x) k = Cast<to = 7>(j) s = Add(i, k) b = Cast<to = 9>(s) y = Cast<to = 1>(b)",
    "clip": "a = Constant<value_float = -0.5>() b = Constant<value_float = 0.7>() y = Clip(x, a, b)",
    "clip from below": "a = Constant<value_float = 0.1>() y = Clip(x, a)",
    "concat": "y = Concat<axis = 1>(x, x, x)",
    "constant of shape": "s = Shape(m) z = ConstantOfShape<value = float[1] {2.5}>(s) y = Mul(z, m)",
    "constant of shape of zeros": "s = Shape(m) z = ConstantOfShape(s) y = Sub(z, m)",
    "cumsum": "a = Constant<value_int = 1>() y = CumSum(x, a)",
    "cumsum exclusive reverse": "a = Constant<value_int = -1>() y = CumSum<exclusive = 1, reverse = 1>(m, a)",
    "div": "o = Constant<value_float = 1.5>() a = Abs(x) b = Add(a, o) y = Div(x, b)",
    "einsum of one": 'y = Einsum<equation = "bld->db">(x)',
    "einsum mixes": 'y = Einsum<equation = "bld,bl->bd">(x, m)',
    "einsum of rows": 'y = Einsum<equation = "bld,bkd->bkl">(x, x)',
    "einsum sums out": 'y = Einsum<equation = "bld,bl->d">(x, m)',
    "elu": "y = Elu(x)",
    "equal": "z = Constant<value_float = 1.0>() e = Equal(m, z) y = Cast<to = 1>(e)",
    "erf": "y = Erf(x)",
    "exp log": "e = Exp(x) l = Log(e) y = Add(e, l)",
    "expand": "s = Shape(x) r = Constant<value_ints = [2]>() u = Unsqueeze(m, r) y = Expand(u, s)",
    "flatten": "y = Flatten<axis = 2>(x)",
    "floor ceil round": "a = Floor(x) b = Ceil(x) c = Round(x) d = Sum(a, b, c) y = Add(d, x)",
    "gather a column": "i = Constant<value_int = -1>() y = Gather<axis = 1>(x, i)",
    "gather columns": "i = Constant<value_ints = [4,-6,0]>() y = Gather<axis = 2>(x, i)",
    "gather the first event twice": "i = Constant<value_ints = [0,-1]>() y = Gather<axis = 1>(x, i)",
    "gather elements": "a = Constant<value_int = 1>() c = CumSum<reverse = 1>(m, a) o = Constant<value_float = 1.0>() d "
    "= Sub(c, o) "
    "i = Cast<to = 7>(d) y = GatherElements<axis = 1>(m, i)",
    "gather nd": "s = Constant<value_ints = [-1]>() t = ReduceSum(m, s) o = Constant<value_float = 1.0>() n = Sub(t, o) "
    "l = Cast<to = 7>(n) b = Shape<start = 0, end = 1>(m) e = Constant<value_ints = [0]>() f = Squeeze(b, e) z = "
    "Constant<value_int = 0>() "
    "u = Constant<value_int = 1>() r = Range(z, f, u) g = Constant<value_ints = [1]>() q = Unsqueeze(r, g) "
    "i = Concat<axis = 1>(q, l) y = GatherND(x, i)",
    "gelu": "y = Gelu(x)",
    "gelu by tanh": 'y = Gelu<approximate = "tanh">(x)',
    "greater or equal": "z = Constant<value_float = 0.0>() e = GreaterOrEqual(x, z) y = Cast<to = 7>(e)",
    "identity": "a = Abs(x) y = Identity(a)",
    "infinities": "z = Constant<value_float = 0.0>() p = Div(m, z) i = IsInf(p) n = IsNaN(p) a = Cast<to = 1>(i) b = "
    "Cast<to = 1>(n) "
    "y = Sub(a, b)",
    "leaky relu": "y = LeakyRelu<alpha = 0.2>(x)",
    "less or equal": "e = LessOrEqual(m, m) y = Cast<to = 1>(e)",
    "log softmax": "y = LogSoftmax<axis = -1>(x)",
    "max min": "h = Constant<value_float = 0.5>() a = Max(x, h) n = Neg(x) y = Min(a, n, h)",
    "mod": "h = Constant<value_int = 3>() i = Cast<to = 7>(x) y = Mod(i, h)",
    "mul neg sub": "n = Neg(x) a = Mul(n, x) y = Sub(a, x)",
    "pad": "p = Constant<value_ints = [0,1,0,2]>() v = Constant<value_float = 7.0>() y = Pad(m, p, v)",
    "pad one axis": "p = Constant<value_ints = [0,1]>() a = Constant<value_ints = [1]>() y = Pad(m, p, , a)",
    "pow 2": "e = Constant<value_float = 2.0>() y = Pow(x, e)",
    "pow a half": "e = Constant<value_float = 0.5>() a = Abs(x) y = Pow(a, e)",
    "pow of an integer": "e = Constant<value_int = 3>() a = Abs(x) y = Pow(a, e)",
    "pow of tensors": "a = Abs(x) y = Pow(a, x)",
    "range": "s = Shape<start = 1, end = 2>(m) e = Constant<value_ints = [0]>() n = Squeeze(s, e) z = "
    "Constant<value_int = 0>() "
    "u = Constant<value_int = 1>() r = Range(z, n, u) f = Cast<to = 1>(r) y = Mul(f, m)",
    "reciprocal": "e = Exp(x) y = Reciprocal(e)",
    "reduce l2": "y = ReduceL2<keepdims = 0>(x)",
    "reduce max": "a = Constant<value_ints = [1]>() y = ReduceMax<keepdims = 0>(x, a)",
    "reduce mean": "a = Constant<value_ints = [-1,1]>() y = ReduceMean(x, a)",
    "reduce min": "a = Constant<value_ints = [-1]>() y = ReduceMin(x, a)",
    "reduce nothing": "y = ReduceSum<noop_with_empty_axes = 1>(x)",
    "reduce prod": "a = Constant<value_ints = [2]>() y = ReduceProd<keepdims = 0>(x, a)",
    "reduce sum square": "a = Constant<value_ints = [0]>() y = ReduceSumSquare(x, a)",
    "relu": "y = Relu(x)",
    "reshape to heads and back": "s = Constant<value_ints = [0,0,2,3]>() h = Reshape(x, s) t = Transpose<perm = [0,2,1,3]>(h) "
    "b = Shape<start = 0, end = 2>(x) w = Constant<value_ints = [6]>() r = Concat<axis = 0>(b, w) "
    "i = Transpose<perm = [0,2,1,3]>(t) y = Reshape(i, r)",
    "reshape with products": "n = Shape<start = 0, end = 1>(x) l = Shape<start = 1, end = 2>(x) t = Constant<value_ints "
    "= [2]>() "
    "a = Mul(l, t) c = Constant<value_ints = [3]>() s = Concat<axis = 0>(n, a, c) y = Reshape(x, s)",
    "reshape merges": "s = Constant<value_ints = [-1,6]>() y = Reshape(x, s)",
    "sigmoid": "y = Sigmoid(x)",
    "sign": "y = Sign(x)",
    "sin cos": "a = Sin(x) b = Cos(x) y = Add(a, b)",
    "size": "n = Size(x) f = Cast<to = 1>(n) y = Div(x, f)",
    "softmax": "y = Softmax(x)",
    "softmax over events": "y = Softmax<axis = 1>(x)",
    "softplus": "h = Constant<value_float = 40.0>() a = Mul(x, h) y = Softplus(a)",
    "split": "a, b, c = Split<axis = 2, num_outputs = 3>(x) y = Concat<axis = 1>(c, a, b)",
    "split unevenly": "s = Constant<value_ints = [1,5]>() a, b = Split<axis = 2>(x, s) y = Concat<axis = -1>(b, a)",
    "split with a rest": "n = Constant<value_ints = [0,0,0,0,0,1]>() p = Pad(x, n) a, b, c, d = Split<axis = 2, "
    "num_outputs = 4>(p) "
    "y = Concat<axis = 2>(d, a, c, b)",
    "sqrt": "a = Abs(x) y = Sqrt(a)",
    "squeeze": "i = Constant<value_ints = [0,-1]>() u = Unsqueeze(m, i) e = Constant<value_ints = [-1]>() y = Squeeze(u, e)",
    "tanh": "y = Tanh(x)",
    "tile": "r = Constant<value_ints = [1,2,3]>() y = Tile(x, r)",
    "tile of one": "i = Constant<value_ints = [0]>() u = Unsqueeze(m, i) n = Constant<value_ints = [3,1,1]>() y = Tile(u, n)",
    "transpose": "y = Transpose(x)",
    "tril": "t = Transpose<perm = [0,2,1]>(x) p = MatMul(x, t) y = Trilu<upper = 0>(p)",
    "triu above": "k = Constant<value_int = 1>() t = Transpose<perm = [0,2,1]>(x) p = MatMul(x, t) y = Trilu(p, k)",
    "tril of truth": "t = Transpose<perm = [0,2,1]>(x) p = MatMul(x, t) b = Cast<to = 9>(p) c = Trilu<upper = 0>(b) y = "
    "Cast<to = 1>(c)",
    "where": "z = Constant<value_float = 0.0>() e = Constant<value_float = -10000.0>() r = Constant<value_ints = [1]>() "
    "c = Greater(m, z) u = Unsqueeze(c, r) t = Transpose<perm = [0,2,1]>(x) y = Where(u, t, e)",
    "celu": "y = Celu<alpha = 0.7>(x)",
    "dropout": "a, b = Dropout(x) y = Abs(a)",
    "einsum of three": 'y = Einsum<equation = "bld,bl,bkd->bkl">(x, m, x)',
    "einsum with an ellipsis": "i = Constant<value_ints = [1]>() u = Unsqueeze(x, i) "
    'y = Einsum<equation = "...ld,...kd->...lk">(u, u)',
    "einsum without a result": 'y = Einsum<equation = "bld,bkd">(x, x)',
    "einsum sums all": 'y = Einsum<equation = "bld,bld->">(x, x)',
    "einsum of an outer product": 'y = Einsum<equation = "bl,bk->blk">(m, m)',
    "elu of another height": "y = Elu<alpha = 0.3>(x)",
    "equal integers": "i = Cast<to = 6>(x) j = Cast<to = 7>(m) r = Constant<value_ints = [2]>() u = Unsqueeze(j, r) k = "
    "Cast<to = 7>(i) e = Equal(k, u) y = Cast<to = 1>(e)",
    "equal truths": "z = Constant<value_float = 0.0>() a = Greater(x, z) b = Less(x, z) c = Equal(a, b) y = Cast<to = 1>(c)",
    "greater integers": "i = Cast<to = 6>(x) z = Constant<value = int32[1] {0}>() a = Greater(i, z) y = Cast<to = 6>(a)",
    "hard sigmoid": "t = Constant<value_float = 4.0>() a = Mul(x, t) y = HardSigmoid<alpha = 0.3, beta = 0.4>(a)",
    "hard swish": "t = Constant<value_float = 4.0>() a = Mul(x, t) y = HardSwish(a)",
    "infinities of one sign": "z = Constant<value_float = 0.0>() n = Neg(x) p = Div(n, z) i = IsInf<detect_negative = 0>(p) "
    "j = IsInf<detect_positive = 0>(p) a = Cast<to = 1>(i) b = Cast<to = 1>(j) c = Add(a, a) y = Add(c, b)",
    "integers": "i = Cast<to = 7>(x) j = Neg(i) k = Abs(j) s = Sub(k, i) o = Constant<value_int = 2>() p = Mul(s, o) "
    "q = Max(p, o) r = Min(q, i, k) d = Div(r, o) y = Add(d, p)",
    "integers reduced": "i = Cast<to = 7>(x) a = Constant<value_ints = [1]>() s = ReduceSum<keepdims = 0>(i, a) "
    "t = ReduceMax<keepdims = 0>(i, a) y = Sub(s, t)",
    "mean of three": "n = Neg(x) a = Abs(x) y = Mean(x, n, a)",
    "mish": "t = Constant<value_float = 30.0>() a = Mul(x, t) y = Mish(a)",
    "mod by the sign of the divisor": "h = Constant<value_int = -3>() i = Cast<to = 7>(x) y = Mod(i, h)",
    "mod by the sign of the divided": "h = Constant<value_float = 0.7>() y = Mod<fmod = 1>(x, h)",
    "one hot": "i = Cast<to = 7>(x) d = Constant<value_int = 3>() v = Constant<value = float[2] {0.5, 2.0}>() "
    "y = OneHot(i, d, v)",
    "one hot in front": "i = Cast<to = 7>(m) d = Constant<value_int = 4>() v = Constant<value = int64[2] {0, 1}>() "
    "y = OneHot<axis = 0>(i, d, v)",
    "range of numbers": "a = Constant<value_int = 1>() b = Constant<value_int = 12>() c = Constant<value_int = 2>() "
    "r = Range(a, b, c) f = Cast<to = 1>(r) y = Mul(x, f)",
    "reduce l1": "a = Constant<value_ints = [1, 2]>() y = ReduceL1(x, a)",
    "reduce log sum": "e = Exp(x) a = Constant<value_ints = [1]>() y = ReduceLogSum<keepdims = 0>(e, a)",
    "reduce log sum exp": "h = Constant<value_float = 60.0>() e = Mul(x, h) a = Constant<value_ints = [-1]>() y = "
    "ReduceLogSumExp<keepdims = 0>(e, a)",
    "selu": "y = Selu(x)",
    "softsign": "y = Softsign(x)",
    "tan": "h = Constant<value_float = 0.3>() a = Mul(x, h) y = Tan(a)",
    "thresholded relu": "y = ThresholdedRelu<alpha = 0.4>(x)",
    "top k": "k = Constant<value_ints = [2]>() a, b = TopK(x, k) c = Cast<to = 1>(b) y = Add(a, c)",
    "top k of the smallest": "k = Constant<value_ints = [1]>() a, b = TopK<axis = 1, largest = 0>(x, k) c = Cast<to = 1>(b) "
    "y = Sub(a, c)",
    "top k of ties": "k = Constant<value_ints = [1]>() a, y = TopK<axis = -1>(m, k)",
    "where of integers": "z = Constant<value_float = 0.0>() c = Greater(x, z) i = Cast<to = 7>(x) n = Constant<value_int = -7>() "
    "y = Where(c, i, n)",
    "matmul of events": "t = Transpose<perm = [0,2,1]>(x) y = MatMul(x, t)",
    "matmul of a mask": "i = Constant<value_ints = [1]>() u = Unsqueeze(m, i) y = MatMul(u, x)",
}

ROWS = np.random.default_rng(0).standard_normal((WIDTH, 4)).astype(np.float32)
SQUARE = np.random.default_rng(1).standard_normal((WIDTH, WIDTH)).astype(np.float32)
LINE = np.arange(4, dtype=np.float32)
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
    "gather elements of a part": (
        "l = Slice(x, z, o, z) c = Slice(l, z, o, o) i = Cast<to = 7>(c) y = GatherElements<axis = 2>(x, i)",
        {"z": np.array([0]), "o": np.array([1])},
    ),
    "gather in batches": ("i = Cast<to = 7>(m) u = Unsqueeze(i, a) y = GatherND<batch_dims = 2>(x, u)", {"a": np.array([2])}),
    "group norm of groups": (
        "t = Transpose<perm = [0,2,1]>(x) y = GroupNormalization<num_groups = 2>(t, s, b)",
        {"s": SQUARE[0, :2], "b": SQUARE[1, :2]},
    ),
    "instance norm": (
        "t = Transpose<perm = [0,2,1]>(x) y = InstanceNormalization<epsilon = 0.1>(t, s, b)",
        {"s": SQUARE[0], "b": SQUARE[1]},
    ),
    "prelu": ("y = PRelu(x, s)", {"s": SQUARE[0]}),
    "scatter elements": (
        "i = Cast<to = 7>(m) u = Unsqueeze(i, a) w = Unsqueeze(m, a) y = ScatterElements<axis = 2>(x, u, w)",
        {"a": np.array([2])},
    ),
    "scatter elements adds": (
        'a = Abs(x) f = Floor(a) i = Cast<to = 7>(f) y = ScatterElements<axis = 2, reduction = "add">(x, i, x)',
        {},
    ),
    "scatter nd": (
        "s = Shape<start = 1, end = 3>(x) n = Shape<start = 0, end = 1>(x) z = Constant<value_int = 0>() e = Squeeze(n, v) "
        "u = Constant<value_int = 1>() r = Range(z, e, u) i = Unsqueeze(r, o) q = Add(x, x) y = ScatterND(q, i, x)",
        {"v": np.array([0]), "o": np.array([1])},
    ),
    "scatter nd adds": (
        'g = Gather(x, l) u = Unsqueeze(g, v) y = ScatterND<reduction = "add">(x, i, u)',
        {"l": np.array(0), "v": np.array([0]), "i": np.array([[0]])},
    ),
    "layer norm": ("y = LayerNormalization<epsilon = 0.001>(x, s, b)", {"s": SQUARE[0], "b": SQUARE[1]}),
    "layer norm without a bias": ("y = LayerNormalization(x, s)", {"s": SQUARE[0]}),
    "positions sliced": (
        "l = Shape<start = 1, end = 2>(x) z = Constant<value_ints = [0]>() p = Slice(w, z, l, z) y = Add(x, p)",
        {"w": np.random.default_rng(2).standard_normal((12, WIDTH)).astype(np.float32)},
    ),
    "a square sliced twice": (
        "l = Shape<start = 1, end = 2>(x) z = Constant<value_ints = [0]>() u = Constant<value_ints = [1]>() p = "
        "Slice(w, z, l, z) "
        "q = Slice(p, z, l, u) f = Cast<to = 1>(q) y = MatMul(f, x)",
        {"w": np.tril(np.ones((12, 12), np.bool_))},
    ),
    "the last event": (
        "y = Slice(x, s, e, a)",
        {"s": np.array([-1]), "e": np.array([2**63 - 1]), "a": np.array([1])},
    ),
    "all but the first": (
        "y = Slice(x, s, e, a)",
        {"s": np.array([1]), "e": np.array([2**63 - 1]), "a": np.array([1])},
    ),
    "at most three from the end": (
        "p = Slice(m, s, e, a) y = ReduceSum(p, a)",
        {"s": np.array([-3]), "e": np.array([2**63 - 1]), "a": np.array([1])},
    ),
    "at most three from the front": (
        "p = Slice(x, s, e, a) y = ReduceSum(p, a)",
        {"s": np.array([0]), "e": np.array([3]), "a": np.array([1])},
    ),
    "between the ends": (
        "p = Slice(x, s, e, a) z = Pad(p, n) y = ReduceSum(z, a)",
        {"s": np.array([1]), "e": np.array([-1]), "a": np.array([1]), "n": np.array([0, 1, 0, 0, 0, 0])},
    ),
    "backwards": (
        "y = Slice(x, s, e, a, t)",
        {"s": np.array([-1]), "e": np.array([-(2**63)]), "a": np.array([1]), "t": np.array([-1])},
    ),
    "every second": (
        "y = Slice(x, s, e, a, t)",
        {"s": np.array([0]), "e": np.array([2**63 - 1]), "a": np.array([1]), "t": np.array([2])},
    ),
}
CASES = {name: (text, {}) for name, text in GRAPHS.items()} | WEIGHTED


# Operators that came with opset 23 and 24, and their answers in words of opset 20.
NEWER: dict[str, tuple[str, str]] = {
    "attention": (
        "a = Constant<value_ints = [1]>() u = Unsqueeze(x, a) y = Attention<scale = 0.5>(u, u, u)",
        "a = Constant<value_ints = [1]>() u = Unsqueeze(x, a) t = Transpose<perm = [0,1,3,2]>(u) p = MatMul(u, t) "
        "h = Constant<value_float = 0.5>() q = Mul(p, h) s = Softmax(q) y = MatMul(s, u)",
    ),
    "rms norm": (
        "w = Constant<value = float[6] {1,2,3,4,5,6}>() y = RMSNormalization<epsilon = 0.01>(x, w)",
        "w = Constant<value = float[6] {1,2,3,4,5,6}>() a = Constant<value_ints = [-1]>() q = Mul(x, x) n = ReduceMean(q, a) "
        "e = Constant<value_float = 0.01>() r = Add(n, e) s = Sqrt(r) d = Div(x, s) y = Mul(d, w)",
    ),
    "swish": ("y = Swish<alpha = 1.5>(x)", "h = Constant<value_float = 1.5>() a = Mul(x, h) s = Sigmoid(a) y = Mul(x, s)"),
}


@pytest.mark.parametrize(("text", "same"), NEWER.values(), ids=NEWER)
def test_a_newer_operator_equals_its_older_words(text: str, same: str) -> None:
    """What ONNX Runtime may not have yet is held against the operators that define it."""
    wanted, found = OnnxEngine(graph(same)), Engine(emit(graph(text)))
    for batch, length in SIZES:
        given = feeds(batch, length)
        assert distance(found(given), wanted(given)) <= 2e-6


@pytest.mark.parametrize(("text", "weights"), CASES.values(), ids=CASES)
def test_an_operator_equals_onnx_runtime(text: str, weights: dict[str, NDArray[Any]]) -> None:
    """One file gives ONNX Runtime's answer for one history of one event, a longer one, and a batch, one after the other."""
    model = graph(text, **weights)
    wanted, found = OnnxEngine(model), Engine(emit(model))
    for batch, length in SIZES:
        given = feeds(batch, length)
        assert distance(found(given), wanted(given)) <= 2e-6


def test_every_operator_of_the_table_has_a_case() -> None:
    """No handler is without a numeric test here or in the module of its family."""
    cases = [*CASES.values(), *NEWER.values(), *RECURRENT.values()]
    written = set(re.findall(r"([A-Z]\w*)[<(]", " ".join(text for text, _ in cases)))
    assert {op for op in OPS if "::" not in op} == written & set(OPS)
    assert {op for op in OPS if "::" in op} == {f"{DOMAIN}::{word}" for word in REFERENCE}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_broadcasting_follows_numpy(data: st.DataObject) -> None:
    """A weight of any shape that broadcasts against [batch, length, 6] does so in the file, on either side."""
    rank = data.draw(st.integers(0, 4))
    shape = [data.draw(st.sampled_from([1, WIDTH] if axis == 1 else [1, 2] if axis == 4 else [1])) for axis in range(rank, 0, -1)]
    weight = np.random.default_rng(rank).standard_normal(shape).astype(np.float32)
    model = graph(data.draw(st.sampled_from(["y = Sub(x, w)", "y = Sub(w, x)"])), w=weight)
    given = feeds(2, 3)
    assert distance(Engine(emit(model))(given), OnnxEngine(model)(given)) <= 1e-6


@settings(max_examples=80, deadline=None)
@given(
    begin=st.integers(-8, 8),
    end=st.one_of(st.integers(-8, 8), st.sampled_from([2**31 - 1, 2**63 - 1])),
    step=st.integers(1, 3),
    axis=st.sampled_from([1, 2, -1]),
    length=st.integers(1, 9),
)
def test_slices_follow_numpy(begin: int, end: int, step: int, axis: int, length: int) -> None:
    """Any bounds, on the fixed and on the open axis, leave what numpy leaves."""
    numbers = {name: np.array([number]) for name, number in (("s", begin), ("e", end), ("a", axis), ("t", step))}
    given = feeds(2, length)
    index = [slice(None)] * 3
    index[axis] = slice(begin, end, step)
    wanted = np.abs(given["x"][tuple(index)])
    if wanted.size:
        found = Engine(emit(graph("p = Slice(x, s, e, a, t) y = Abs(p)", **numbers)))(given)
        assert np.array_equal(found, wanted)
