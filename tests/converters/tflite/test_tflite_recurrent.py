"""GRU, LSTM and RNN as loops, against ONNX Runtime's operators, with batch and length left open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import encoders
import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from tflite_files import WIDTH, Engine, OnnxEngine, distance, feeds, graph, read
from torch import Tensor, nn

from edge_rec_converters.row_codes import quantise_rows
from edge_rec_converters.targets.tflite import emit
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNITS = 5
GATES = {"GRU": 3, "LSTM": 4, "RNN": 1}
SIZES = ((1, 1), (1, 8), (7, 5), (2, 50))
TURN = "t = Transpose<perm = [1,0,2]>(x) "


def weights(op: str, directions: int = 1) -> dict[str, NDArray[Any]]:
    """Return W, R and B of a recurrence."""
    rng = np.random.default_rng(len(op))
    rows = GATES[op] * UNITS
    shapes = {"w": (directions, rows, WIDTH), "r": (directions, rows, UNITS), "b": (directions, 2 * rows)}
    return {name: (rng.standard_normal(shape) * 0.4).astype(np.float32) for name, shape in shapes.items()}


def start(op: str, directions: int = 1) -> str:
    """Return nodes that make initial states from the first event, which depend on the input."""
    columns = "f = Gather<axis = 0>(t, zero) c = Slice(f, from, to, last) g = Unsqueeze(c, from) "
    return columns + ("h = Concat<axis = 0>(g, g) " if directions == 2 else "h = Identity(g) ")


STARTS = {"zero": np.array(0), "from": np.array([0]), "to": np.array([UNITS]), "last": np.array([-1])}

CASES: dict[str, tuple[str, dict[str, NDArray[Any]]]] = {
    "gru reset after": (f"y, e = GRU<hidden_size = {UNITS}, linear_before_reset = 1>(t, w, r, b)", weights("GRU")),
    "gru reset before": (f"y, e = GRU<hidden_size = {UNITS}>(t, w, r, b)", weights("GRU")),
    "gru without a bias": (f"y, e = GRU<hidden_size = {UNITS}, linear_before_reset = 1>(t, w, r)", weights("GRU") | {"b": None}),
    "gru last state": (f"e, y = GRU<hidden_size = {UNITS}, linear_before_reset = 1>(t, w, r, b)", weights("GRU")),
    "gru both": (
        f"a, e = GRU<hidden_size = {UNITS}, linear_before_reset = 1>(t, w, r, b) s = Squeeze(a, one) y = Add(s, e)",
        weights("GRU") | {"one": np.array([1])},
    ),
    "gru backwards": (f'y, e = GRU<hidden_size = {UNITS}, direction = "reverse">(t, w, r, b)', weights("GRU")),
    "gru in two directions": (
        f'y, e = GRU<hidden_size = {UNITS}, direction = "bidirectional", linear_before_reset = 1>(t, w, r, b)',
        weights("GRU", 2),
    ),
    "gru ends of two directions": (
        f'e, y = GRU<hidden_size = {UNITS}, direction = "bidirectional">(t, w, r, b)',
        weights("GRU", 2),
    ),
    "gru from a state": (
        start("GRU") + f"y, e = GRU<hidden_size = {UNITS}, linear_before_reset = 1>(t, w, r, b, , h)",
        weights("GRU") | STARTS,
    ),
    "gru from two states": (
        start("GRU", 2) + f'y, e = GRU<hidden_size = {UNITS}, direction = "bidirectional">(t, w, r, b, , h)',
        weights("GRU", 2) | STARTS,
    ),
    "two grus": (
        f"a, e = GRU<hidden_size = {UNITS}, linear_before_reset = 1>(t, w, r, b) s = Squeeze(a, one) "
        f"y, d = GRU<hidden_size = {UNITS}, linear_before_reset = 1>(s, v, r, b)",
        weights("GRU") | {"one": np.array([1]), "v": np.ascontiguousarray(weights("GRU")["w"][..., :UNITS])},
    ),
    "lstm": (f"y, e, c = LSTM<hidden_size = {UNITS}>(t, w, r, b)", weights("LSTM")),
    "lstm last memory": (f"e, c, y = LSTM<hidden_size = {UNITS}>(t, w, r, b)", weights("LSTM")),
    "lstm in two directions": (
        f'y, e, c = LSTM<hidden_size = {UNITS}, direction = "bidirectional">(t, w, r, b)',
        weights("LSTM", 2),
    ),
    "lstm from a state": (
        start("LSTM") + f"y, e, d = LSTM<hidden_size = {UNITS}>(t, w, r, b, , h, h)",
        weights("LSTM") | STARTS,
    ),
    "rnn": (f"y, e = RNN<hidden_size = {UNITS}>(t, w, r, b)", weights("RNN")),
    "rnn with relu": (f'y, e = RNN<hidden_size = {UNITS}, activations = ["Relu"]>(t, w, r, b)', weights("RNN")),
}


@pytest.mark.parametrize(("text", "held"), CASES.values(), ids=CASES)
def test_a_recurrence_equals_onnx_runtime(text: str, held: dict[str, NDArray[Any]]) -> None:
    """One file, resized from call to call, gives ONNX Runtime's answer for every batch and length."""
    model = graph(TURN + text, **{name: array for name, array in held.items() if array is not None})
    wanted, found = OnnxEngine(model), Engine(emit(model))
    for batch, length in SIZES:
        given = feeds(batch, length)
        assert distance(found(given), wanted(given)) <= 2e-6


def test_a_recurrence_is_a_loop_with_one_layer_in_front() -> None:
    """Nothing is unrolled: a product with the input, WHILE, and two subgraphs that no length is written into."""
    data = emit(graph(TURN + CASES["gru last state"][0], **weights("GRU")))
    operators = [name for name, _ in read(data).operators]
    assert operators.count("FULLY_CONNECTED") == 1
    assert operators.count("WHILE") == 1
    assert len(operators) < 16


def test_states_that_nothing_reads_are_not_kept() -> None:
    """Without the results of all steps the loop carries none of them."""
    loops = []
    for name in ("gru last state", "gru reset after"):
        root = schema.ModelT.InitFromPackedBuf(emit(graph(TURN + CASES[name][0], **weights("GRU"))))
        loops.append([len(part.inputs) for part in root.subgraphs[1:]])
    assert loops == [[4, 4], [5, 5]]


@pytest.mark.parametrize("op", GATES)
def test_int8_rows_are_the_weights_of_a_recurrence(op: str) -> None:
    """W and R stand in the file as int8, and the answer is that of the decoded weights."""
    held = weights(op)
    coded = {name: quantise_rows(held[name][0]) for name in "wr"}
    text = "".join(f"{name}d = edge_rec.Int8Rows({name}c, {name}s) {name} = Unsqueeze({name}d, n) " for name in "wr")
    node = f"y, e{', f' if op == 'LSTM' else ''} = {op}<hidden_size = {UNITS}>(t, w, r, b)"
    parts = {f"{name}c": coded[name][0] for name in "wr"} | {f"{name}s": coded[name][1] for name in "wr"}
    model = graph(TURN + text + node, b=held["b"], n=np.array([0]), **parts)
    decoded = {name: (codes * scales[:, None])[None] for name, (codes, scales) in coded.items()}
    wanted, found = OnnxEngine(graph(TURN + node, b=held["b"], **decoded)), Engine(emit(model))
    for batch, length in SIZES:
        given = feeds(batch, length)
        assert distance(found(given), wanted(given)) <= 2e-6


def test_int8_rows_of_a_recurrence_cost_a_byte_each() -> None:
    """A GRU of 128 units takes a byte a weight, 28 a row for scales, zero points and bias, and 8 KB; no decoded copy."""
    rng = np.random.default_rng(0)
    parts = {"n": np.array([0])}
    for name, width in (("w", WIDTH), ("r", 128)):
        parts[f"{name}c"], parts[f"{name}s"] = quantise_rows(rng.standard_normal((384, width)).astype(np.float32))
    text = "".join(f"{name}d = edge_rec.Int8Rows({name}c, {name}s) {name} = Unsqueeze({name}d, n) " for name in "wr")
    model = graph(TURN + text + "y, e = GRU<hidden_size = 128>(t, w, r)", **parts)
    assert len(emit(model)) <= 384 * (WIDTH + 128 + 28) + 8192


def test_half_floats_are_the_weights_of_a_recurrence() -> None:
    """The same with float16, two bytes a weight."""
    held = weights("GRU")
    text = "".join(f"{name} = Cast<to = 1>({name}h) " for name in "wr")
    node = f"y, e = GRU<hidden_size = {UNITS}>(t, w, r, b)"
    model = graph(TURN + text + node, b=held["b"], **{f"{name}h": held[name].astype(np.float16) for name in "wr"})
    wide = {name: held[name].astype(np.float16).astype(np.float32) for name in "wr"}
    given = feeds(3, 7)
    assert distance(Engine(emit(model))(given), OnnxEngine(graph(TURN + node, b=held["b"], **wide))(given)) <= 2e-6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("y, e = GRU<hidden_size = 5, clip = 1.0>(t, w, r, b)", "clip"),
        ("y, e = GRU<hidden_size = 5, layout = 1>(x, w, r, b)", "layout"),
        ('y, e = GRU<hidden_size = 5, direction = "sideways">(t, w, r, b)', "sideways"),
        ('y, e = GRU<hidden_size = 5, activations = ["Relu", "Tanh"]>(t, w, r, b)', "Relu, Tanh"),
        (
            "s = ReduceSum<keepdims = 0>(m, one) n = Cast<to = 6>(s) y, e = GRU<hidden_size = 5>(t, w, r, b, n)",
            "mask the results",
        ),
        ("k = ReduceMax<keepdims = 0>(m) v = Mul(w, k) y, e = GRU<hidden_size = 5>(t, v, r, b)", "constant"),
    ],
)
def test_what_a_loop_does_not_do_is_refused(text: str, said: str) -> None:
    """An attribute that would be left out is an error, not a wrong answer."""
    held = weights("GRU") | {"one": np.array([1])}
    with pytest.raises(ConversionError, match=said):
        emit(graph(TURN + text, **{name: array for name, array in held.items() if re.search(rf"\b{name}\b", text)}))


class Sequential(nn.Module):
    """The state of a two-layer GRU at the last event."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(encoders.WIDTH, 24, num_layers=2, batch_first=True)
        self.out = nn.Linear(24, encoders.WIDTH)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the query."""
        states, _ = self.gru(vectors)
        following = torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], 1)
        query: Tensor = self.out((states * (mask * (1 - following))[..., None]).sum(1))
        return query


def test_a_torch_gru_equals_torch() -> None:
    """As torch exports it, two layers, batch first, and the state at the last event of each history."""
    torch.manual_seed(0)
    module = Sequential().eval()
    engine = Engine(emit(encoders.graph_of(module)))
    for batch, length in ((1, 1), (1, 8), (7, 5), (1, encoders.LONGEST)):
        given = feeds(batch, length, width=encoders.WIDTH, names=("vectors", "mask"))
        with torch.inference_mode():
            wanted = module(torch.from_numpy(given["vectors"]), torch.from_numpy(given["mask"])).numpy()
        assert distance(engine(given), wanted) <= 1e-5
