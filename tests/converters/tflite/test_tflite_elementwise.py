"""Arithmetic, comparisons and activations against ONNX Runtime, with batch and length left open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tflite_files import WIDTH, equals_onnx_runtime

if TYPE_CHECKING:
    from numpy.typing import NDArray

SQUARE = np.random.default_rng(1).standard_normal((WIDTH, WIDTH)).astype(np.float32)

# One graph a line, from x [batch, length, 6] and m [batch, length] to y.
GRAPHS = {
    "abs": "y = Abs(x)",
    "add a row": "w = Constant<value = float[6] {1,2,3,4,5,6}>() y = Add(x, w)",
    "and or xor not": "z = Constant<value_float = 0.3>() a = Less(x, z) b = Greater(x, z) n = Not(b) c = And(a, n) d = "
    "Or(c, b) "
    "e = Xor(d, a) y = Cast<to = 1>(e)",
    "cast": "i = Cast<to = 7>(x) j = Cast<to = 6>(x) k = Cast<to = 7>(j) s = Add(i, k) b = Cast<to = 9>(s) y = Cast<to = 1>(b)",
    "clip": "a = Constant<value_float = -0.5>() b = Constant<value_float = 0.7>() y = Clip(x, a, b)",
    "clip from below": "a = Constant<value_float = 0.1>() y = Clip(x, a)",
    "div": "o = Constant<value_float = 1.5>() a = Abs(x) b = Add(a, o) y = Div(x, b)",
    "elu": "y = Elu(x)",
    "equal": "z = Constant<value_float = 1.0>() e = Equal(m, z) y = Cast<to = 1>(e)",
    "erf": "y = Erf(x)",
    "exp log": "e = Exp(x) l = Log(e) y = Add(e, l)",
    "floor ceil round": "a = Floor(x) b = Ceil(x) c = Round(x) d = Sum(a, b, c) y = Add(d, x)",
    "gelu": "y = Gelu(x)",
    "gelu by tanh": 'y = Gelu<approximate = "tanh">(x)',
    "greater or equal": "z = Constant<value_float = 0.0>() e = GreaterOrEqual(x, z) y = Cast<to = 7>(e)",
    "identity": "a = Abs(x) y = Identity(a)",
    "infinities": "z = Constant<value_float = 0.0>() p = Div(m, z) i = IsInf(p) n = IsNaN(p) a = Cast<to = 1>(i) b = "
    "Cast<to = 1>(n) "
    "y = Sub(a, b)",
    "leaky relu": "y = LeakyRelu<alpha = 0.2>(x)",
    "less or equal": "e = LessOrEqual(m, m) y = Cast<to = 1>(e)",
    "max min": "h = Constant<value_float = 0.5>() a = Max(x, h) n = Neg(x) y = Min(a, n, h)",
    "mod": "h = Constant<value_int = 3>() i = Cast<to = 7>(x) y = Mod(i, h)",
    "mul neg sub": "n = Neg(x) a = Mul(n, x) y = Sub(a, x)",
    "pow 2": "e = Constant<value_float = 2.0>() y = Pow(x, e)",
    "pow a half": "e = Constant<value_float = 0.5>() a = Abs(x) y = Pow(a, e)",
    "pow of an integer": "e = Constant<value_int = 3>() a = Abs(x) y = Pow(a, e)",
    "pow of tensors": "a = Abs(x) y = Pow(a, x)",
    "reciprocal": "e = Exp(x) y = Reciprocal(e)",
    "relu": "y = Relu(x)",
    "sigmoid": "y = Sigmoid(x)",
    "sign": "y = Sign(x)",
    "sin cos": "a = Sin(x) b = Cos(x) y = Add(a, b)",
    "softplus": "h = Constant<value_float = 40.0>() a = Mul(x, h) y = Softplus(a)",
    "sqrt": "a = Abs(x) y = Sqrt(a)",
    "tanh": "y = Tanh(x)",
    "celu": "y = Celu<alpha = 0.7>(x)",
    "dropout": "a, b = Dropout(x) y = Abs(a)",
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
    "mean of three": "n = Neg(x) a = Abs(x) y = Mean(x, n, a)",
    "mish": "t = Constant<value_float = 30.0>() a = Mul(x, t) y = Mish(a)",
    "mod by the sign of the divisor": "h = Constant<value_int = -3>() i = Cast<to = 7>(x) y = Mod(i, h)",
    "mod by the sign of the divided": "h = Constant<value_float = 0.7>() y = Mod<fmod = 1>(x, h)",
    "selu": "y = Selu(x)",
    "softsign": "y = Softsign(x)",
    "tan": "h = Constant<value_float = 0.3>() a = Mul(x, h) y = Tan(a)",
    "thresholded relu": "y = ThresholdedRelu<alpha = 0.4>(x)",
    "where": "z = Constant<value_float = 0.0>() e = Constant<value_float = -10000.0>() r = Constant<value_ints = [1]>() "
    "c = Greater(m, z) u = Unsqueeze(c, r) t = Transpose<perm = [0,2,1]>(x) y = Where(u, t, e)",
    "where of integers": "z = Constant<value_float = 0.0>() c = Greater(x, z) i = Cast<to = 7>(x) n = Constant<value_int = -7>() "
    "y = Where(c, i, n)",
}

WEIGHTED: dict[str, tuple[str, dict[str, NDArray[Any]]]] = {
    "prelu": ("y = PRelu(x, s)", {"s": SQUARE[0]}),
}
CASES = {name: (text, {}) for name, text in GRAPHS.items()} | WEIGHTED


@pytest.mark.parametrize(("text", "weights"), CASES.values(), ids=CASES)
def test_an_elementwise_operator_equals_onnx_runtime(text: str, weights: dict[str, NDArray[Any]]) -> None:
    """One file gives ONNX Runtime's answer for one history of one event, a longer one, and a batch, one after the other."""
    equals_onnx_runtime(text, weights)
