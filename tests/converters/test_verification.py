"""Verification sees what conversion can break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edge_rec_converters.targets.onnx import emit
from edge_rec_converters.verification import overlap_gate
from edge_rec_converters.verification.retriever import measure_retriever
from edge_rec_runtime import BundleContents, Fp32Table, Precision, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_converters import Prepared


def _bundle(prepared: Prepared, path: Path, encoder: bytes, table: Fp32Table | None = None) -> Path:
    source = prepared.source
    write_bundle(
        path,
        BundleContents(
            name="m",
            precision=Precision(),
            encoders={"onnx": encoder},
            tables={"items": table or prepared.fit.table},
            catalogue=source.catalogue,
            max_length=source.max_length,
        ),
    )
    return path


def _graph(nodes: list[NodeProto], constants: dict[str, object]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "g",
        [
            helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["b", "l", 32]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["b", "l"]),
        ],
        [helper.make_tensor_value_info("query", TensorProto.FLOAT, ["b", 32])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString())


def test_the_same_weights_agree_in_everything(prepared: Prepared, tmp_path: Path) -> None:
    """fp32 keeps every item and all of NDCG, and its scores differ by rounding only."""
    found = measure_retriever(_bundle(prepared, tmp_path / "m", emit(prepared.graph)), prepared.test, gate=0.999)
    assert found.passed
    assert found.overlap_at_10 == found.overlap_tail_at_10 == 1.0
    assert found.rank_correlation == pytest.approx(1.0)
    assert found.score_error_max < 1e-4
    assert found.ndcg_at_10 == found.ndcg_at_10_source


def test_ndcg_is_that_of_the_definition(prepared: Prepared, tmp_path: Path) -> None:
    """Computed here again, user by user, with everything seen left out."""
    found = measure_retriever(_bundle(prepared, tmp_path / "m", emit(prepared.graph)), prepared.test, gate=0.9)
    gains = []
    for user, seen in enumerate(prepared.test.users.seen):
        scores = prepared.fit.table.values @ prepared.test.queries[user]
        scores[seen] = -np.inf
        rank = int((scores > scores[prepared.test.users.targets[user]]).sum())
        gains.append(1 / np.log2(rank + 2) if rank < 10 else 0.0)
    assert found.ndcg_at_10 == pytest.approx(np.mean(gains))


def test_a_constant_encoder_is_found(prepared: Prepared, tmp_path: Path) -> None:
    """An encoder that broke to one answer for all fails by name, whatever the gate."""
    nodes = [
        helper.make_node("ReduceSum", ["vectors", "axis"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "zero"], ["none"]),
        helper.make_node("Add", ["none", "one"], ["query"]),
    ]
    encoder = _graph(nodes, {"axis": np.array([1]), "zero": np.float32(0), "one": np.ones(32, np.float32)})
    found = measure_retriever(_bundle(prepared, tmp_path / "m", encoder), prepared.test, gate=0.0)
    assert found.constant
    assert "same query" in found.failures[0]


def test_one_scale_for_a_batch_is_found(prepared: Prepared, tmp_path: Path) -> None:
    """DynamicQuantizeLinear takes its scale from the whole batch; the drift it causes fails."""
    nodes = [
        helper.make_node("ReduceSum", ["vectors", "axis"], ["sum"], keepdims=0),
        helper.make_node("DynamicQuantizeLinear", ["sum"], ["codes", "scale", "zero"]),
        helper.make_node("DequantizeLinear", ["codes", "scale", "zero"], ["query"]),
    ]
    found = measure_retriever(_bundle(prepared, tmp_path / "m", _graph(nodes, {"axis": np.array([1])})), prepared.test, gate=0.0)
    assert found.batch_drift > 0.03
    assert any("with its batch" in failure for failure in found.failures)


def test_items_that_became_zero_are_counted(prepared: Prepared, tmp_path: Path) -> None:
    """A table that lost rows fails, with their number."""
    values = prepared.fit.table.values.copy()
    values[:3] = 0
    found = measure_retriever(_bundle(prepared, tmp_path / "m", emit(prepared.graph), Fp32Table(values)), prepared.test, gate=0.0)
    assert found.zero_rows == 3
    assert not found.passed


@pytest.mark.parametrize(
    ("precision", "gate"), [("fp32", 0.999), ("int8", 0.97), ("items=int8", 0.97), ("binary", 0.9), ("binary-only", 0.4)]
)
def test_gates_follow_the_precision(precision: str, gate: float) -> None:
    """The gate is that of the coarsest part that decides the answer."""
    assert overlap_gate(Precision.parse(precision)) == gate
