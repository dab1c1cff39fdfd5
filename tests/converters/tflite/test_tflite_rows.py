"""Rows looked up in quantised tables, layers of signs, and half floats, against the dialect's own arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tflite_files import WIDTH, Engine, distance, feeds, graph, read

from edge_rec_converters.dialect import is_dialect
from edge_rec_converters.dialect_reference import compute
from edge_rec_converters.row_codes import quantise_binary, quantise_int4, quantise_rows
from edge_rec_converters.targets.tflite import emit
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    import onnx_ir as ir
    from numpy.typing import NDArray

LAYOUTS = ("int8", "int4", "binary")
IDS = "int32[batch,length] i"


def table(rows: int, width: int, layout: str) -> dict[str, NDArray[np.generic]]:
    """Return codes and scales of a table whose rows have norms of every size."""
    rng = np.random.default_rng(rows * 1000 + width)
    values = (rng.standard_normal((rows, width)) * np.exp(rng.uniform(-3, 2, (rows, 1)))).astype(np.float32)
    if layout == "binary":
        codes, scales, _ = quantise_binary(values, centred=False)
        return {"codes": codes, "scales": scales}
    codes, scales = (quantise_rows if layout == "int8" else quantise_int4)(values)
    return {"codes": codes, "scales": scales}


def lookup(layout: str, width: int, *, centre: bool = False) -> str:
    """Return the node as text."""
    return f'y = edge_rec.RowLookup<layout = "{layout}", width = {width}>(i, codes, scales{", centre" if centre else ""})'


def word(model: ir.Model) -> ir.Node:
    """Return the model's node of the dialect."""
    (node,) = [node for node in model.graph if is_dialect(node)]
    return node


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 40),
    width=st.integers(1, 40),
    layout=st.sampled_from(LAYOUTS),
    centre=st.booleans(),
    batch=st.integers(1, 4),
    length=st.integers(1, 9),
)
def test_rows_are_those_of_the_dialect_to_the_bit(
    *, rows: int, width: int, layout: str, centre: bool, batch: int, length: int
) -> None:
    """Any number of rows and any width, even or odd, decode to exactly what the reference says."""
    parts = table(rows, width, layout)
    if centre:
        parts["centre"] = np.linspace(-1, 1, width, dtype=np.float32)
    model = graph(lookup(layout, width, centre=centre), IDS, **parts)
    ids = np.random.default_rng(length).integers(0, rows, (batch, length)).astype(np.int32)
    assert np.array_equal(Engine(emit(model))({"i": ids}), compute(word(model), ids, *parts.values()))


@pytest.mark.parametrize(("layout", "bits"), [("int8", 8), ("int4", 4), ("binary", 1)])
def test_a_table_costs_its_codes_and_a_scale_a_row(layout: str, bits: int) -> None:
    """2,000 rows of 64 numbers take their bits, 4 bytes a row, and 4 KB for everything else."""
    data = emit(graph(lookup(layout, 64), IDS, **table(2000, 64, layout)))
    assert len(data) <= 2000 * (64 * bits // 8 + 4) + 4096


def test_two_binary_tables_share_their_table_of_signs() -> None:
    """The 2 KB that turn bytes into signs stand in the file once."""
    one = 'y = edge_rec.RowLookup<layout = "binary", width = 16>(i, codes, scales)'
    two = one.replace("y =", "a =") + ' b = edge_rec.RowLookup<layout = "binary", width = 16>(i, codes, scales) y = Mul(a, b)'
    parts = table(8, 16, "binary")
    assert len(emit(graph(two, IDS, **parts))) - len(emit(graph(one, IDS, **parts))) < 1500


def test_a_row_that_is_not_there_is_an_error() -> None:
    """An index beyond the table stops the engine; it never gives another row's numbers."""
    engine = Engine(emit(graph(lookup("int8", 4), IDS, **table(3, 4, "int8"))))
    with pytest.raises(RuntimeError):
        engine({"i": np.array([[0, 3]], np.int32)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"codes": np.zeros((3, 5), np.int8)}, "do not fit"),
        ({"codes": np.zeros((3, 4), np.uint8)}, "do not fit"),
        ({"scales": np.zeros(4, np.float32)}, "do not fit"),
    ],
)
def test_codes_that_do_not_fit_are_refused(change: dict[str, NDArray[np.generic]], said: str) -> None:
    """A table whose parts disagree is never written."""
    with pytest.raises(ConversionError, match=said):
        emit(graph(lookup("int8", 4), IDS, **(table(3, 4, "int8") | change)))
    with pytest.raises(ConversionError, match="int2"):
        emit(graph(lookup("int2", 4), IDS, **table(3, 4, "int8")))


def signs(width: int, rows: int, *, bias: bool) -> dict[str, NDArray[np.generic]]:
    """Return a layer of signs."""
    rng = np.random.default_rng(width * 100 + rows)
    bits, scales, _ = quantise_binary(rng.standard_normal((rows, width)).astype(np.float32), centred=False)
    return {"bits": bits, "scales": scales} | ({"bias": rng.standard_normal(rows).astype(np.float32)} if bias else {})


@settings(max_examples=60, deadline=None)
@given(width=st.integers(1, 70), rows=st.integers(1, 40), batch=st.integers(1, 9), bias=st.booleans(), size=st.floats(1e-3, 1e3))
def test_a_layer_of_signs_stays_within_a_step_of_the_dialect(
    *, width: int, rows: int, batch: int, bias: bool, size: float
) -> None:
    """LiteRT rounds each row of the input onto 255 steps of its own, zero among them; no product leaves that by a step."""
    parts = signs(width, rows, bias=bias)
    text = f"y = edge_rec.BinaryLinear<width = {width}>(x, bits, scales{', bias' if bias else ''})"
    model = graph(text, f"float[batch,{width}] x", **parts)
    x = (np.random.default_rng(batch).standard_normal((batch, width)) * size).astype(np.float32)
    step = (np.maximum(x.max(-1, keepdims=True), 0) - np.minimum(x.min(-1, keepdims=True), 0)) / 255
    found = Engine(emit(model))({"x": x})
    assert (np.abs(found - compute(word(model), x, *parts.values())) <= step * width * parts["scales"] + 1e-5 * size).all()


def test_a_row_of_signs_does_not_depend_on_its_batch() -> None:
    """The rounding is each row's own."""
    parts = signs(64, 32, bias=True)
    engine = Engine(emit(graph("y = edge_rec.BinaryLinear<width = 64>(x, bits, scales, bias)", "float[batch,64] x", **parts)))
    x = np.random.default_rng(1).standard_normal((9, 64)).astype(np.float32)
    x[3] *= 1000
    together = engine({"x": x})
    assert all(np.array_equal(together[row : row + 1], engine({"x": x[row : row + 1]})) for row in range(9))


def test_signs_take_two_bits_and_a_scale_a_row() -> None:
    """256 x 1024 signs take 2 bits each, 4 bytes a row for the scale and for its share of zero points, and 2 KB."""
    parts = signs(256, 1024, bias=False)
    data = emit(graph("y = edge_rec.BinaryLinear<width = 256>(x, bits, scales)", "float[batch,256] x", **parts))
    assert len(data) <= 1024 * (256 // 4 + 4 + 8) + 2048


HALF = np.random.default_rng(3).standard_normal((WIDTH, WIDTH)).astype(np.float16)
HALVES: dict[str, tuple[str, dict[str, NDArray[np.generic]]]] = {
    "matmul": ("w = Cast<to = 1>(h) y = MatMul(x, w)", {}),
    "matmul with a half bias": ("w = Cast<to = 1>(h) p = MatMul(x, w) b = Cast<to = 1>(v) y = Add(p, b)", {"v": HALF[0]}),
    "gather": ("w = Cast<to = 1>(h) i = Cast<to = 7>(m) y = Gather(w, i)", {}),
    "add": ("b = Cast<to = 1>(h) y = Add(x, b)", {"h": HALF[0]}),
    "sliced": (
        "w = Cast<to = 1>(h) l = Shape<start = 1, end = 2>(x) s = Slice(w, z, l, z) y = Add(x, s)",
        {"z": np.array([0])},
    ),
}


@pytest.mark.parametrize(("text", "weights"), HALVES.values(), ids=HALVES)
def test_half_floats_stay_half_in_the_file(text: str, weights: dict[str, NDArray[np.generic]]) -> None:
    """A float16 constant is decoded by the engine: the numbers are its own, and the file holds two bytes each."""
    held = {"h": HALF} | weights
    model = graph(text, **held)
    wide = {name: array.astype(np.float32) if array.dtype == np.float16 else array for name, array in held.items()}
    exact = graph(text, **wide)
    file = read(emit(model))
    assert {constant.values.dtype for name, constant in file.constants.items() if name in "hv"} == {np.dtype(np.float16)}
    for batch, length in ((1, 3), (2, 6)):
        given_ = feeds(batch, length)
        assert distance(Engine(emit(model))(given_), Engine(emit(exact))(given_)) <= 1e-6


def test_a_layer_of_half_floats_is_one_layer() -> None:
    """Weight and bias are decoded, then one FULLY_CONNECTED; nothing is transposed or added at run time."""
    operators = [name for name, _ in read(emit(graph(HALVES["matmul with a half bias"][0], h=HALF, v=HALF[0]))).operators]
    assert sorted(operators) == ["DEQUANTIZE", "DEQUANTIZE", "FULLY_CONNECTED"]
