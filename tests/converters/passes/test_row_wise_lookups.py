"""Tables whose rows are looked up: near their rows, shared by their readers, zeros where there were zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir
import pytest
from dialect_graphs import graph_of, operators, run

from edge_rec_converters.dialect import LAYOUTS, ROW_LOOKUP, constant
from edge_rec_converters.passes import RowWiseLookups, apply, looked_up_tables
from edge_rec_converters.row_codes import unpack_int4
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RNG = np.random.default_rng(0)
TABLE = (_RNG.normal(size=(100, 16)) * _RNG.lognormal(0, 1, (100, 1))).astype(np.float32)
IDS = _RNG.integers(0, 100, (4, 3)).astype(np.int32)
# most of a row's length that may be lost: half a step of 127 or 7 against the largest, and 1 - 2/pi of the variance for signs
LOST = {"int8": 0.01, "int4": 0.16, "binary": 0.75}


def _lookup(x: ir.Value, **table: ir.Value) -> list[ir.Node]:
    return [ir.node("Gather", [*table.values(), x])]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_are_near(layout: str) -> None:
    """What is looked up is near the row, whatever the norms of other rows are."""
    before = graph_of({"x": IDS}, {"items.weight": TABLE}, _lookup)
    after = apply(before, RowWiseLookups(layout=layout))
    assert operators(after) == [ROW_LOOKUP]
    found, wanted = run(after, {"x": IDS}), TABLE[IDS]
    spread = wanted if layout != "binary" else wanted - TABLE.mean(axis=0)
    lost = np.linalg.norm(found - wanted, axis=-1) / np.linalg.norm(spread, axis=-1)
    assert lost.max() < LOST[layout]
    assert lost.min() > 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_row_of_zeros_stays_zeros(layout: str) -> None:
    """Padding adds nothing to a sum, in one bit as well."""
    padded = TABLE.copy()
    padded[0] = 0
    after = apply(graph_of({"x": IDS}, {"w": padded}, _lookup), RowWiseLookups(layout=layout))
    assert not run(after, {"x": np.zeros((1, 1), np.int32)}).any()


@pytest.mark.parametrize(("layout", "bytes_a_row"), [("int8", 18), ("int4", 10), ("binary", 4)])
def test_scales_fit_half_precision(layout: str, bytes_a_row: int) -> None:
    """The scales are numbers of half precision, so that a file may store them in two bytes; the codes were made with them."""
    after = apply(graph_of({"x": IDS}, {"w": TABLE}, _lookup), RowWiseLookups(layout=layout))
    scales, codes = (constant(after.graph.initializers[name]) for name in ("w.scales", "w.codes"))
    assert scales is not None
    assert codes is not None
    assert np.array_equal(scales, scales.astype(np.float16).astype(np.float32))
    assert codes.nbytes + 2 * len(scales) == bytes_a_row * len(TABLE)


@pytest.mark.parametrize("factor", [1e-8, 1e8])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_scales_beyond_half_precision_stay_float(layout: str, factor: float) -> None:
    """Tiny and huge tables lose nothing by it."""
    table = TABLE * np.float32(factor)
    found = run(apply(graph_of({"x": IDS}, {"w": table}, _lookup), RowWiseLookups(layout=layout)), {"x": IDS})
    plain = run(apply(graph_of({"x": IDS}, {"w": TABLE}, _lookup), RowWiseLookups(layout=layout)), {"x": IDS})
    np.testing.assert_allclose(found, plain * factor, rtol=0.02, atol=0.02 * factor)


def test_readers_of_one_table_share_its_codes() -> None:
    """Two look-ups, one array of codes; a dense layer that reads the table as well keeps its own."""

    def twice(x: ir.Value, w: ir.Value) -> list[ir.Node]:
        first, second = ir.node("Gather", [w, x]), ir.node("Gather", [w, x], attributes={"axis": 0})
        added = ir.node("Add", [first.outputs[0], second.outputs[0]])
        return [first, second, added]

    graph = graph_of({"x": IDS}, {"w": TABLE}, twice)
    after = apply(graph, RowWiseLookups(layout="int8"))
    assert operators(after) == [ROW_LOOKUP, ROW_LOOKUP, "Add"]
    assert sorted(after.graph.initializers) == ["w.codes", "w.scales"]


@pytest.mark.parametrize(
    ("table", "attributes"),
    [
        pytest.param(TABLE[:63], {}, id="few rows"),
        pytest.param(TABLE[:, :1].copy(), {}, id="one column"),
        pytest.param(TABLE[:, :2].copy(), {}, id="two columns"),
        pytest.param(TABLE, {"axis": 1}, id="columns"),
    ],
)
def test_what_a_scale_a_row_does_not_suit_is_left_alone(table: NDArray[np.float32], attributes: dict[str, int]) -> None:
    """Small and narrow tables would grow, and a look-up of columns is no look-up of rows."""
    ids = np.zeros((2, 2), np.int32)
    graph = graph_of({"x": ids}, {"w": table}, lambda x, w: [ir.node("Gather", [w, x], attributes=attributes)])
    assert apply(graph, RowWiseLookups(layout="int8")) is graph


def test_tables_are_known_by_name() -> None:
    """A matrix that is multiplied is no table, a vector neither."""

    def mixed(x: ir.Value, w: ir.Value, m: ir.Value, v: ir.Value) -> list[ir.Node]:
        rows, numbers = ir.node("Gather", [w, x]), ir.node("Gather", [v, x])
        return [rows, numbers, ir.node("MatMul", [rows.outputs[0], m])]

    constants = {"w": TABLE, "m": TABLE[:16].copy(), "v": TABLE[:, 0].copy()}
    assert looked_up_tables(graph_of({"x": IDS}, constants, mixed)) == {"w"}


def test_tables_without_numbers_and_unknown_layouts_are_refused() -> None:
    """NaN has no code, and int3 no layout."""
    graph = graph_of({"x": IDS}, {"user.weight": np.where(TABLE > 2, np.nan, TABLE)}, _lookup)
    with pytest.raises(ConversionError, match=r"user\.weight"):
        apply(graph, RowWiseLookups(layout="int4"))
    with pytest.raises(ConversionError, match="int3"):
        apply(graph, RowWiseLookups(layout="int3"))


def test_int4_codes_are_those_of_the_row() -> None:
    """The codes in the graph are the rounded rows, in [-7, 7]."""
    after = apply(graph_of({"x": IDS}, {"w": TABLE}, _lookup), RowWiseLookups(layout="int4"))
    codes, scales = constant(after.graph.initializers["w.codes"]), constant(after.graph.initializers["w.scales"])
    assert codes is not None
    assert scales is not None
    assert np.abs(unpack_int4(codes.astype(np.uint8), 16)).max() == 7
    assert np.abs(unpack_int4(codes.astype(np.uint8), 16) - TABLE / scales[:, None]).max() < 7  # clipped ends only
