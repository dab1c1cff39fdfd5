"""Which standard operators the dialect is best written with, for ONNX Runtime, and where int8 layers are faster than float ones.

    python benchmarks/onnx_forms.py

Prints the median time of each form at one row and at 50, as a multiple of the form that the ONNX target writes; then that of
dense layers in each int8 network, as a multiple of fp32, by width and rows, and the costs that `edge_rec_converters.speed`
reckons with, fitted to these times.
"""

from __future__ import annotations

__all__ = ["main"]

import time
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import DOMAIN, VERSION, binary_linear, int8_linear
from edge_rec_converters.edit import add_constant
from edge_rec_converters.networks import Ingredients, network_graph
from edge_rec_converters.plan import Plan
from edge_rec_converters.row_codes import quantise_binary, quantise_rows
from edge_rec_converters.session import open_session
from edge_rec_converters.speed import COSTS, Cost, DenseLayer
from edge_rec_converters.targets import emitter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_ROUNDS, _FEWEST, _SECONDS = 2000, 50, 2.0
_SIZES = ((64, 256), (256, 64), (256, 256))  # in, out
_WIDTHS, _ROWS, _LAYERS = (32, 64, 128, 192, 256, 384, 512), (1, 8, 32, 100, 200), 4
_UNITS = tuple(Cost(**{term.name: float(term is one) for term in fields(Cost)}) for one in fields(Cost))


def main() -> None:
    """Print both tables."""
    _compare_forms()
    _compare_networks()


def _compare_forms() -> None:
    print(f"{'layer':<34}{'form':<34}{'1 row':>8}{'50 rows':>9}")
    for wide, out in _SIZES:
        weight = np.random.default_rng(0).normal(size=(out, wide)).astype(np.float32)
        for word, forms in _FORMS.items():
            times = _times({form: open_session(emitter("onnx")(_graph(make, weight))) for form, make in forms.items()}, wide)
            ours = next(iter(times.values()))
            for form, found in times.items():
                ratios = [one / own for one, own in zip(found, ours, strict=True)]
                print(f"{f'{word} {wide} -> {out}':<34}{form:<34}{ratios[0]:>8.2f}{ratios[1]:>9.2f}")


def _compare_networks() -> None:
    print(f"\n{'width':>5}{'rows':>6}{'fp32 us':>9}" + "".join(f"{network:>14}" for network in COSTS))
    measured: list[tuple[DenseLayer, dict[str, float]]] = []
    for wide in _WIDTHS:
        graph = _residual_layers(wide)
        ingredients = Ingredients(graph=graph, plan=Plan(), feeds=[{"x": _rows(8, wide)} for _ in range(30)])
        sessions = {
            network: open_session(emitter("onnx")(network_graph("onnx", network, ingredients))) for network in ("fp32", *COSTS)
        }
        for rows, found in zip(_ROWS, zip(*_times(sessions, wide, all_rows=_ROWS).values(), strict=True), strict=True):
            fp32, *others = (seconds * 1e9 / _LAYERS for seconds in found)
            print(f"{wide:>5}{rows:>6}{fp32 / 1e3:>9.1f}" + "".join(f"{other / fp32:>14.2f}" for other in others))
            measured.append(
                (DenseLayer(rows=rows, wide=wide, out=wide), dict(zip(("fp32", *COSTS), (fp32, *others), strict=True)))
            )
    for network, cost in _fitted(measured).items():
        print(f"{network}: nanoseconds beyond fp32: {cost}")


def _fitted(measured: list[tuple[DenseLayer, dict[str, float]]]) -> dict[str, Cost]:
    """Return the costs of integer products, of least squared error relative to fp32; what they save is the same for both."""
    rounded = ("int8-static", "int8-dynamic")
    terms, beyond = [], []
    for layer, times in measured:
        once, saved = np.array([unit.of(layer) for unit in _UNITS]).reshape(2, 2) / times["fp32"]
        for at, network in enumerate(rounded):
            terms.append([*np.outer(np.eye(2)[at], once).ravel(), *saved])
            beyond.append(times[network] / times["fp32"] - 1)
    found = [round(float(factor), 4) for factor in np.linalg.lstsq(np.array(terms), np.array(beyond), rcond=None)[0]]
    weight, product = found[4:]
    return {
        network: Cost(layer=found[2 * at], number=found[2 * at + 1], weight=weight, product=product)
        for at, network in enumerate(rounded)
    }


def _residual_layers(wide: int) -> ir.Model:
    """Return layers whose results are added to what went in, so that none is fused with the next."""
    x = ir.Value(name="x", type=ir.TensorType(ir.DataType.FLOAT), shape=ir.Shape(["rows", wide]))
    graph = ir.Graph([x], [], nodes=[], opset_imports={"": 20, DOMAIN: VERSION}, name="layers")
    tape, value, drawn = ir.tape.Tape(graph), x, np.random.default_rng(0)
    for layer in range(_LAYERS):
        weight = add_constant(graph, (drawn.normal(size=(wide, wide)) / wide**0.5).astype(np.float32), f"{layer}.weight")
        bias = add_constant(graph, drawn.normal(size=wide).astype(np.float32), f"{layer}.bias")
        value = tape.op("Add", [tape.op("Add", [tape.op("MatMul", [value, weight]), bias]), value])
    value.name, value.type = "y", ir.TensorType(ir.DataType.FLOAT)
    graph.outputs.append(value)
    return ir.Model(graph, ir_version=10)


def _rows(rows: int, wide: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(rows, wide)).astype(np.float32)


def _times(sessions: dict[str, Any], wide: int, all_rows: Sequence[int] = (1, 50)) -> dict[str, list[float]]:
    """Return the median seconds of each session at each number of rows, all timed in turns."""
    found: dict[str, list[float]] = {form: [] for form in sessions}
    for rows in all_rows:
        feed = {"x": _rows(rows, wide)}
        taken: dict[str, list[float]] = {form: [] for form in sessions}
        stop = time.perf_counter() + _SECONDS
        for turn in range(_ROUNDS):
            if turn >= _FEWEST and time.perf_counter() > stop:
                break
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
