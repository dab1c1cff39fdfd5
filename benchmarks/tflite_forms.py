"""Which operators the dialect and recurrences are best written with, for LiteRT: forms of one thing side by side.

    python benchmarks/tflite_forms.py
    python benchmarks/tflite_forms.py --only loops

Prints for each form the bytes of its file, its median time as a multiple of the first form's, one thread, all forms in turns,
and the largest error relative to the largest result in float. ``*`` marks what the TFLite target writes.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import logging
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir
from conversion.forms import Form, compare, of_onnx, of_tflite

from edge_rec_converters.dialect import DOMAIN, VERSION
from edge_rec_converters.row_codes import quantise_binary, quantise_int4, quantise_rows, unpack_int4, unpack_signs
from edge_rec_converters.targets import emitter
from edge_rec_converters.targets.tflite._lowering import Lowering
from edge_rec_converters.targets.tflite._operators import OPERATORS, Operator
from edge_rec_converters.targets.tflite._sizes import Size
from edge_rec_converters.targets.tflite.ops.elementwise import binary
from edge_rec_converters.targets.tflite.ops.matmul import dense

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from edge_rec_converters.targets.tflite._call import Value

_RNG = np.random.default_rng(0)
_NARROW = 14  # the version of FULLY_CONNECTED that multiplies INT2


def main() -> None:
    """Print the comparisons that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=_SECTIONS, help="unless given, all")
    asked = parser.parse_args()
    logging.getLogger("onnx_ir").setLevel(logging.ERROR)  # it warns of weights that come after the text
    for section in asked.only or list(_SECTIONS):
        for title, forms, feeds in _SECTIONS[section]():
            compare(f"{section}: {title}", forms, feeds)


def _written(inputs: str, text: str, **held: NDArray[Any]) -> ir.Model:
    """Return a graph ``inputs -> y``."""
    model = ir.from_onnx_text(
        f'<ir_version: 10, opset_import: ["": 20, "{DOMAIN}": {VERSION}]> g ({inputs}) => (float[a] y) {{ {text} }}',
        initializers=[ir.tensor(array, name=name) for name, array in held.items()],
    )
    model.graph.outputs[0].shape = None
    return model


def _ours(inputs: str, text: str, **held: NDArray[Any]) -> Form:
    return of_tflite(emitter("tflite")(_written(inputs, text, **held)))


def _lowered(shape: tuple[Size | int, ...], dtype: type[np.generic], say: Callable[[Lowering, Value], Value]) -> Form:
    """Return a form that is no target's: TFLite's operators as ``say`` adds them."""
    graph = Lowering()
    x = graph.input("x", shape, dtype)
    graph.sign("serving_default", inputs={"x": x}, outputs={"y": say(graph, x)})
    return of_tflite(graph.writer.finish("form"))


def _layers(word: str) -> Iterator[tuple[str, dict[str, Form], dict[str, Any]]]:
    for width, out in ((64, 256), (256, 64), (64, 64), (106, 106)):
        weight, bias = (_RNG.standard_normal(shape).astype(np.float32) for shape in ((out, width), (out,)))
        feeds = {f"{rows} rows": {"x": _RNG.standard_normal((rows, width)).astype(np.float32)} for rows in (1, 50, 1600)}
        yield f"{word} {width} -> {out}", _LAYERS[word](weight, bias), feeds


def _int8_layers(weight: NDArray[Any], bias: NDArray[Any]) -> dict[str, Form]:
    codes, scales = quantise_rows(weight)
    inputs, held = f"float[rows,{weight.shape[1]}] x", {"codes": codes, "scales": scales, "bias": bias}
    return {
        "float32": _lowered_layer(weight, bias),
        "int8, MUL by the scales *": _ours(
            inputs, 'y = edge_rec.Int8Linear<activation = "per-token">(x, codes, scales, bias)', **held
        ),
        "int8, scales inside of FULLY_CONNECTED": _lowered_layer(weight, bias, codes, scales),
        "int8 decoded, float product *": _ours(
            inputs, 'y = edge_rec.Int8Linear<activation = "none">(x, codes, scales, bias)', **held
        ),
    }


def _binary_layers(weight: NDArray[Any], bias: NDArray[Any]) -> dict[str, Form]:
    width = weight.shape[1]
    bits, scales, _ = quantise_binary(weight, centred=False)
    signs = unpack_signs(bits, width)
    held = {"bits": bits, "scales": scales, "bias": bias}
    ones = np.ones(1, np.float32)

    def multiplied(graph: Lowering, x: Value) -> Value:
        product = dense(graph, x, graph.quantised(graph.known(signs), ones, bits=2), graph.known(bias / scales), version=_NARROW)
        return binary(graph, "MUL", product, graph.known(scales))

    def decoded(graph: Lowering, x: Value) -> Value:
        stored = graph.quantised(graph.known(signs), scales, bits=2)
        return dense(graph, x, graph.emit("DEQUANTIZE", [stored], signs.shape, np.float32, version=6), graph.known(bias))

    shape = (Size.symbol("rows"), width)
    return {
        "float32": _lowered_layer(signs * scales[:, None], bias),
        "INT2, width a multiple of 8 *": _ours(
            f"float[rows,{width}] x", f"y = edge_rec.BinaryLinear<width = {width}>(x, bits, scales, bias)", **held
        ),
        "INT2, any width": _lowered_layer(signs, bias, signs, scales, bits=2),
        "INT2, MUL by the scales": _lowered(shape, np.float32, multiplied),
        "INT4": _lowered_layer(signs, bias, signs, scales, bits=4),
        "INT2 decoded, float product": _lowered(shape, np.float32, decoded),
        "int8 decoded, float product": _ours(
            f"float[rows,{width}] x",
            'y = edge_rec.Int8Linear<activation = "none">(x, codes, scales, bias)',
            codes=signs,
            scales=scales,
            bias=bias,
        ),
    }


def _lowered_layer(
    weight: NDArray[Any],
    bias: NDArray[Any],
    codes: NDArray[Any] | None = None,
    scales: NDArray[Any] | None = None,
    *,
    bits: int = 8,
) -> Form:
    """Return FULLY_CONNECTED of a float weight, or of codes with their scales inside."""

    def say(graph: Lowering, x: Value) -> Value:
        if codes is None or scales is None:
            return dense(graph, x, graph.known(weight), graph.known(bias))
        stored = graph.quantised(graph.known(codes), scales, bits=bits)
        return dense(graph, x, stored, graph.known(bias), version=None if bits == 8 else _NARROW)

    return _lowered((Size.symbol("rows"), weight.shape[1]), np.float32, say)


_LAYERS = {"Int8Linear": _int8_layers, "BinaryLinear": _binary_layers}


def _rows() -> Iterator[tuple[str, dict[str, Form], dict[str, Any]]]:
    """Yield look-ups of 50 rows of 20,000; EMBEDDING_LOOKUP takes one axis of indices, so all do."""
    OPERATORS.setdefault("EMBEDDING_LOOKUP", Operator())
    table = _RNG.standard_normal((20_000, 64)).astype(np.float32)
    feeds = {"50 rows": {"x": _RNG.integers(0, len(table), 50).astype(np.int32)}}
    for layout, bits, (codes, scales) in (
        ("int8", 8, quantise_rows(table)),
        ("int4", 4, quantise_int4(table)),
        ("binary", 2, quantise_binary(table, centred=False)[:2]),
    ):
        numbers = _DECODED[layout](codes)
        plain = numbers * scales[:, None]
        forms = {
            "GATHER of float32": _ours("int32[rows] x", "y = Gather(t, x)", t=plain),
            "GATHER of codes, decoded *": _ours(
                "int32[rows] x",
                f'y = edge_rec.RowLookup<layout = "{layout}", width = 64>(x, codes, scales)',
                codes=codes,
                scales=scales,
            ),
            f"EMBEDDING_LOOKUP of INT{bits}": _embedding(numbers, scales, bits),
        }
        yield f"{layout} of 64 numbers", forms, feeds


_DECODED: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "int8": lambda codes: codes,
    "int4": lambda codes: unpack_int4(codes, 64),
    "binary": lambda codes: unpack_signs(codes, 64),
}


def _embedding(codes: NDArray[Any], scales: NDArray[Any], bits: int) -> Form:
    def say(graph: Lowering, x: Value) -> Value:
        stored = graph.quantised(graph.known(codes.astype(np.int8)), scales, bits=bits)
        return graph.emit("EMBEDDING_LOOKUP", [x, stored], (*x.shape, 64), np.float32, version=4)

    return _lowered((Size.symbol("rows"),), np.int32, say)


def _loops() -> Iterator[tuple[str, dict[str, Form], dict[str, Any]]]:
    """Yield fifty steps of a GRU whose states are summed up by weights, such as those that are 1 at the last event."""
    for units in (64, 128):
        held = {
            "w": (_RNG.standard_normal((1, 3 * units, 64)) * 0.1).astype(np.float32),
            "r": (_RNG.standard_normal((1, 3 * units, units)) * 0.1).astype(np.float32),
            "b": np.zeros((1, 6 * units), np.float32),
            "one": np.array([1]),
            "zero": np.array([0]),
        }
        inputs = "float[length,batch,64] x, float[length,batch,1] m"
        states = f"a, e = GRU<hidden_size = {units}, linear_before_reset = 1>(x, w, r, b) q = Squeeze(a, one) "
        total = "p = Mul({}, m) y = ReduceSum<keepdims = 0>(p, zero)"
        forms = {
            "loop that adds up *": _ours(inputs, states + total.format("q"), **held),
            "loop that keeps all states *": _ours(inputs, states + "k = Identity(q) " + total.format("k"), **held),
            "unrolled": _ours(inputs, _UNROLLED, **_unrolled_weights(units, held)),
            "GRU of ONNX Runtime": of_onnx(_written(inputs, states + total.format("q"), **held)),
        }
        shapes = {f"batch {batch}": (50, batch) for batch in (1, 32)}
        feeds = {
            name: {"x": _RNG.standard_normal((*shape, 64)).astype(np.float32), "m": np.ones((*shape, 1), np.float32)}
            for name, shape in shapes.items()
        }
        yield f"GRU of {units} units, 50 steps", forms, feeds


def _step(number: int) -> str:
    """Return one step of a GRU in small operators, and its part of the sum; h0 and y0 are what goes before the first."""
    lines = (
        "i = Constant<value_int = {n}>() g = Gather(all, i) s, f = Split<axis = 1>(g, parts) u = MatMul(H, rg) a = Add(s, u) "
        "o = Sigmoid(a) z, k = Split<axis = 1, num_outputs = 2>(o) c = MatMul(H, rc) j = Mul(k, c) v = Add(f, j) t = Tanh(v) "
        "d = Sub(H, t) e = Mul(z, d) h = Add(t, e) q = Gather(m, i) l = Mul(h, q) y = Add(Y, l) "
    )
    own = re.sub(r"\b([a-z])\b(?= =|,|\)|\()", rf"\g<1>{number + 1}", lines.replace("{n}", str(number)))
    return own.replace(f"m{number + 1}", "m").replace("H", f"h{number}").replace("Y", f"y{number}")


_STEPS = 50
_UNROLLED = (
    "all = MatMul(x, wx) zero = Constant<value_int = 0>() first = Gather(x, zero) h0 = MatMul(first, nothing) "
    "y0 = Identity(h0) " + "".join(_step(number) for number in range(_STEPS)) + f"y = Identity(y{_STEPS})"
)


def _unrolled_weights(units: int, held: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    own = np.ascontiguousarray(held["r"][0].T)
    return {
        "wx": np.ascontiguousarray(held["w"][0].T),
        "rg": np.ascontiguousarray(own[:, : 2 * units]),
        "rc": np.ascontiguousarray(own[:, 2 * units :]),
        "nothing": np.zeros((64, units), np.float32),
        "parts": np.array([2 * units, units]),
    }


_SECTIONS: dict[str, Callable[[], Iterator[tuple[str, dict[str, Form], dict[str, Any]]]]] = {
    "int8": lambda: _layers("Int8Linear"),
    "binary": lambda: _layers("BinaryLinear"),
    "rows": _rows,
    "loops": _loops,
}


if __name__ == "__main__":
    main()
