"""Which standard operators the dialect is best written with, for ONNX Runtime: forms of one layer side by side.

    python benchmarks/onnx_forms.py

Prints the median time of each form at one row and at 50, as a multiple of the form that the ONNX target writes.
"""

from __future__ import annotations

__all__ = ["main"]

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import DOMAIN, VERSION, binary_linear, int8_linear
from edge_rec_converters.edit import add_constant
from edge_rec_converters.row_codes import quantise_binary, quantise_rows
from edge_rec_converters.session import open_session
from edge_rec_converters.targets import emitter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_ROUNDS = 2000
_SIZES = ((64, 256), (256, 64), (256, 256))  # in, out


def main() -> None:
    """Time the forms in turns and print one table."""
    print(f"{'layer':<34}{'form':<34}{'1 row':>8}{'50 rows':>9}")
    for wide, out in _SIZES:
        weight = np.random.default_rng(0).normal(size=(out, wide)).astype(np.float32)
        for word, forms in _FORMS.items():
            times = _times({form: open_session(emitter("onnx")(_graph(make, weight))) for form, make in forms.items()}, wide)
            ours = next(iter(times.values()))
            for form, found in times.items():
                ratios = [one / own for one, own in zip(found, ours, strict=True)]
                print(f"{f'{word} {wide} -> {out}':<34}{form:<34}{ratios[0]:>8.2f}{ratios[1]:>9.2f}")


def _times(sessions: dict[str, Any], wide: int) -> dict[str, list[float]]:
    """Return the median seconds of each session at one row and at 50, all timed in turns."""
    found: dict[str, list[float]] = {form: [] for form in sessions}
    for rows in (1, 50):
        feed = {"x": np.random.default_rng(1).normal(size=(rows, wide)).astype(np.float32)}
        taken: dict[str, list[float]] = {form: [] for form in sessions}
        for _ in range(_ROUNDS):
            for form, session in sessions.items():
                start = time.perf_counter()
                session.run(None, feed)
                taken[form].append(time.perf_counter() - start)
        for form, seconds in taken.items():
            found[form].append(float(np.median(seconds)))
    return found


def _graph(make: Callable[..., ir.Value], weight: NDArray[np.float32]) -> ir.Model:
    x = ir.Value(name="x", type=ir.TensorType(ir.DataType.FLOAT), shape=ir.Shape(["rows", weight.shape[1]]))
    graph = ir.Graph([x], [], nodes=[], opset_imports={"": 20, DOMAIN: VERSION}, name="layer")
    tape = ir.tape.Tape(graph)
    result = make(graph, tape, x, weight)
    result.name, result.type = "y", ir.TensorType(ir.DataType.FLOAT)
    graph.outputs.append(result)
    return ir.Model(graph, ir_version=10)


def _signs(graph: ir.Graph, tape: ir.tape.Tape, x: ir.Value, weight: NDArray[Any]) -> ir.Value:  # noqa: ARG001 - one form of many
    bits, scales, _ = quantise_binary(weight, centred=False)
    node = binary_linear(x, add_constant(graph, bits, "bits"), add_constant(graph, scales, "scales"), width=weight.shape[1])
    graph.append(node)
    return node.outputs[0]


def _per_token(graph: ir.Graph, tape: ir.tape.Tape, x: ir.Value, weight: NDArray[Any]) -> ir.Value:  # noqa: ARG001 - one form of many
    rounded, factors = quantise_rows(weight)
    codes, scales = add_constant(graph, rounded, "codes"), add_constant(graph, factors, "scales")
    node = int8_linear(x, codes, scales, activation="per-token")
    graph.append(node)
    return node.outputs[0]


def _integer(graph: ir.Graph, tape: ir.tape.Tape, x: ir.Value, codes: NDArray[Any], scales: NDArray[Any]) -> ir.Value:
    """Round per token, multiply with MatMulInteger, cast and scale: uint8 x uint8, zero point 128 on both sides."""
    largest = tape.op("ReduceMax", [tape.op("Abs", [x]), add_constant(graph, np.array([-1]), "axis")], {"keepdims": 1})
    unit, zero = (
        add_constant(graph, np.asarray(one), name) for one, name in ((np.float32(1 / 127), "unit"), (np.uint8(128), "zero"))
    )
    rounded = tape.op("QuantizeLinear", [tape.op("Div", [x, largest]), unit, zero])
    stored = add_constant(graph, (codes.astype(np.int16) + 128).astype(np.uint8).T.copy(), "stored")
    product = tape.op("Cast", [tape.op("MatMulInteger", [rounded, stored, zero, zero])], {"to": ir.DataType.FLOAT})
    factors = add_constant(graph, (scales / 127).astype(np.float32), "factors")
    return tape.op("Mul", [tape.op("Mul", [product, factors]), largest])


def _integer_signs(graph: ir.Graph, tape: ir.tape.Tape, x: ir.Value, weight: NDArray[Any]) -> ir.Value:
    return _integer(graph, tape, x, np.where(weight >= 0, 1, -1), np.abs(weight).mean(axis=1))


def _integer_codes(graph: ir.Graph, tape: ir.tape.Tape, x: ir.Value, weight: NDArray[Any]) -> ir.Value:
    return _integer(graph, tape, x, *quantise_rows(weight))


# word of the dialect -> form -> what writes it; the first form is the target's
_FORMS: dict[str, dict[str, Callable[..., ir.Value]]] = {
    "BinaryLinear": {"float MatMul, unpacked at load": _signs, "rounded input, MatMulInteger": _integer_signs},
    "Int8Linear per-token": {"Quantize, Dequantize, MatMul": _per_token, "MatMulInteger, Cast, Mul": _integer_codes},
}


if __name__ == "__main__":
    main()
