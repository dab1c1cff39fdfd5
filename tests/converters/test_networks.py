"""Whole networks in every precision: near fp32 by a bound that each precision has to earn, small, and mixed as planned."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir
import pytest
import torch
from dialect_graphs import graph_of, operators, run
from torch import Tensor, nn

from edge_rec_converters.dialect import BINARY_LINEAR, INT8_LINEAR, INT8_ROWS, ROW_LOOKUP, floats, is_dialect, text
from edge_rec_converters.graph import model_graph
from edge_rec_converters.networks import CANDIDATES, FALLBACK, NETWORKS, Ingredients, candidates, network_graph, require_network
from edge_rec_converters.plan import Plan
from edge_rec_converters.session import open_session
from edge_rec_converters.targets import emitter
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_rec_converters import Retriever

    Feeds = Sequence[dict[str, Any]]

_RNG = np.random.default_rng(0)
# Relative error of the results that a precision may have. Weights drawn at random have no signs worth keeping: nothing but zeros
# would be 1.
BOUNDS = {"fp32": 0.0, "fp16": 2e-3, "int8-weights": 0.012, "int8-dynamic": 0.02, "int8-static": 0.03, "binary": 0.97}
ON_ONNX = [network for target, network in NETWORKS if target == "onnx"]


class Attention(nn.Module):
    """A transformer layer and a recurrence over the history's vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.TransformerEncoderLayer(32, 2, 64, batch_first=True, norm_first=True, dropout=0.0)
        self.memory = nn.GRU(32, 32, batch_first=True)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See `Retriever`."""
        steps, _ = self.memory(self.block(vectors, src_key_padding_mask=mask == 0))
        return (steps * mask.unsqueeze(-1)).sum(1)


def _dense(*, wide: int, out: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return (_RNG.normal(size=(wide, out)) / wide**0.5).astype(np.float32)


def mlp() -> tuple[ir.Model, Feeds]:
    """Return three dense layers and requests for them."""
    constants = {"a.weight": _dense(wide=32, out=64), "a.bias": _RNG.normal(size=64).astype(np.float32)}
    constants |= {"b.weight": _dense(wide=64, out=32), "head.weight": _dense(wide=32, out=16)}

    def build(x: ir.Value, **held: ir.Value) -> list[ir.Node]:
        first = ir.node("Gemm", [x, held["a.weight"], held["a.bias"]])
        active = ir.node("Relu", first.outputs)
        second = ir.node("MatMul", [active.outputs[0], held["b.weight"]])
        return [first, active, second, ir.node("MatMul", [second.outputs[0], held["head.weight"]])]

    feeds = [{"x": _RNG.normal(size=(4, 32)).astype(np.float32)} for _ in range(30)]
    return graph_of(feeds[0], constants, build), feeds


def ranker() -> tuple[ir.Model, Feeds]:
    """Return a look-up of items and users, and dense layers over both."""
    constants = {
        "items.weight": _RNG.normal(size=(300, 16)).astype(np.float32),
        "users.weight": _RNG.normal(size=(200, 16)).astype(np.float32),
        "a.weight": _dense(wide=32, out=32),
        "head.weight": _dense(wide=32, out=16),
    }

    def build(item: ir.Value, user: ir.Value, **held: ir.Value) -> list[ir.Node]:
        rows = [ir.node("Gather", [held["items.weight"], item]), ir.node("Gather", [held["users.weight"], user])]
        joined = ir.node("Concat", [row.outputs[0] for row in rows], attributes={"axis": -1})
        first = ir.node("MatMul", [joined.outputs[0], held["a.weight"]])
        active = ir.node("Relu", first.outputs)
        return [*rows, joined, first, active, ir.node("MatMul", [active.outputs[0], held["head.weight"]])]

    feeds = [
        {"item": _RNG.integers(0, 300, 8).astype(np.int32), "user": _RNG.integers(0, 200, 8).astype(np.int32)} for _ in range(30)
    ]
    return graph_of(feeds[0], constants, build), feeds


@pytest.fixture(scope="module")
def attention(make_source: Callable[..., Retriever]) -> tuple[ir.Model, Feeds]:
    """A transformer layer and a recurrence, exported."""
    torch.manual_seed(0)
    feeds = []
    for length in _RNG.integers(1, 20, 30):
        vectors = _RNG.normal(size=(1, length, 32)).astype(np.float32)
        feeds.append({"vectors": vectors, "mask": np.ones((1, length), np.float32)})
    return model_graph(make_source(Attention())), feeds


def _error(wanted: ir.Model, found: ir.Model, feeds: Feeds) -> float:
    sessions = [open_session(emitter("onnx")(model)) for model in (wanted, found)]
    right, left = (np.concatenate([np.ravel(session.run(None, feed)[0]) for feed in feeds]) for session in sessions)
    return float(np.linalg.norm(right - left) / np.linalg.norm(right))


def _check(graph: ir.Model, feeds: Feeds, network: str) -> None:
    ingredients = Ingredients(graph=graph, plan=Plan(), feeds=feeds, tables="fp32")
    before = ir.to_proto(graph).SerializeToString()
    after = network_graph("onnx", network, ingredients)
    assert ir.to_proto(graph).SerializeToString() == before
    error = _error(graph, after, feeds)
    assert error <= BOUNDS[network]
    assert (error > 0) == (network != "fp32")
    for feed in feeds[:1]:
        result = run(after, feed)
        assert np.isfinite(result).all()
        assert result.std() > 0


@pytest.mark.parametrize("network", ON_ONNX)
@pytest.mark.parametrize("build", [mlp, ranker])
def test_networks_are_near_fp32(build: Callable[[], tuple[ir.Model, Feeds]], network: str) -> None:
    """Each precision keeps the results within its bound, and the graph it was made from as it was."""
    _check(*build(), network)


@pytest.mark.parametrize("network", ON_ONNX)
def test_attention_and_recurrences_are_near_fp32(attention: tuple[ir.Model, Feeds], network: str) -> None:
    """So do a transformer layer and a GRU, whose weights are rounded too."""
    _check(*attention, network)


@pytest.mark.parametrize(("network", "share"), [("fp16", 0.62), ("int8-dynamic", 0.5), ("int8-weights", 0.45), ("binary", 0.32)])
def test_networks_are_smaller(attention: tuple[ir.Model, Feeds], network: str, share: float) -> None:
    """No large fp32 constant is left, and the file shrinks, its fixed 20 KB of nodes included."""
    graph, feeds = attention
    after = network_graph("onnx", network, Ingredients(graph=graph, plan=Plan(), feeds=feeds))
    large = [name for name, value in after.graph.initializers.items() if (held := floats(value)) is not None and held.size > 512]
    assert not large
    assert len(emitter("onnx")(after)) < share * len(emitter("onnx")(graph))


@pytest.mark.parametrize(("tables", "share"), [("fp16", 0.75), ("int8", 0.55), ("int4", 0.45), ("binary", 0.36)])
def test_tables_have_a_precision_of_their_own(tables: str, share: float) -> None:
    """The dense layers stay as they are, to the bit; the look-ups are near; the file shrinks."""
    graph, feeds = ranker()
    after = network_graph("onnx", "fp32", Ingredients(graph=graph, plan=Plan(), feeds=feeds, tables=tables))
    assert operators(after).count(ROW_LOOKUP) == (0 if tables == "fp16" else 2)
    assert "a.weight" in after.graph.initializers
    assert 0 < _error(graph, after, feeds) < {"fp16": 2e-3, "int8": 0.012, "int4": 0.2, "binary": 0.8}[tables]
    assert len(emitter("onnx")(after)) < share * len(emitter("onnx")(graph))


def test_layers_go_by_plan() -> None:
    """The first pattern that matches decides, what the author keeps stays fp32, and the rest is the network's."""
    graph, feeds = ranker()
    plan = Plan.of(layers={"users.*": "int8-weights", "head.*": "binary", "a.*": "binary"}, float_weights=("a.*",))
    after = network_graph("onnx", "int8-dynamic", Ingredients(graph=graph, plan=plan, feeds=feeds, tables="int4"))
    assert [text(node, "layout") for node in after.graph if is_dialect(node, ROW_LOOKUP)] == ["int4", "int8"]
    assert operators(after).count(BINARY_LINEAR) == 1
    assert INT8_LINEAR not in operators(after)
    assert "a.weight" in after.graph.initializers
    assert np.isfinite(run(after, feeds[0])).all()


def test_mixed_integer_layers_keep_their_kind() -> None:
    """Static, dynamic and weights-only layers live in one graph; half precision takes nothing that was added."""
    graph, feeds = mlp()
    plan = Plan.of(layers={"a.*": "int8-static", "b.*": "int8-dynamic", "head.*": "int8-weights"})
    after = network_graph("onnx", "fp16", Ingredients(graph=graph, plan=plan, feeds=feeds))
    assert [text(node, "activation") for node in after.graph if is_dialect(node)] == ["static", "per-token", "none"]
    assert 0 < _error(graph, after, feeds) < BOUNDS["int8-static"]


def test_recurrences_keep_their_node(attention: tuple[ir.Model, Feeds]) -> None:
    """A GRU's weights come from int8 rows, its node stays one."""
    graph, feeds = attention
    after = network_graph("onnx", "int8-dynamic", Ingredients(graph=graph, plan=Plan(), feeds=feeds))
    assert operators(after).count("GRU") == 1
    assert operators(after).count(INT8_ROWS) == 2


def test_candidates_are_networks_of_their_target() -> None:
    """What ``int8`` may become exists; a graph without weights stays fp32, whatever it looks up."""
    graph, feeds = mlp()
    made = Ingredients(graph=graph, plan=Plan(), feeds=feeds)
    for target, networks in CANDIDATES.items():
        assert sorted(candidates(target, "int8", made)) == sorted(networks)
        assert {(target, network) for network in (*networks, FALLBACK)} <= set(NETWORKS)
        assert candidates(target, "binary", made) == ("binary",)
        assert candidates(target, "fp16", made) == ("fp16",)
        kept = replace(made, plan=Plan.of(float_weights=("*",)))
        assert candidates(target, "int8", kept) == ("fp32",)


def _layers_of(width: int) -> tuple[ir.Model, Feeds]:
    """Return two square layers, each as wide, and short requests for them."""
    constants = {"a.weight": _dense(wide=width, out=width), "b.weight": _dense(wide=width, out=width)}

    def build(x: ir.Value, **held: ir.Value) -> list[ir.Node]:
        first = ir.node("MatMul", [x, held["a.weight"]])
        return [first, ir.node("MatMul", [first.outputs[0], held["b.weight"]])]

    feeds = [{"x": _RNG.normal(size=(2, width)).astype(np.float32)} for _ in range(3)]
    return graph_of(feeds[0], constants, build), feeds


def test_the_fastest_candidate_is_first() -> None:
    """Narrow layers multiply floats, wide ones integers; what the plan fixes is not weighed, nor what cannot be multiplied."""
    for width, first in ((32, "int8-weights"), (512, "int8-static")):
        graph, feeds = _layers_of(width)
        made = Ingredients(graph=graph, plan=Plan(), feeds=feeds)
        assert candidates("onnx", "int8", made)[0] == first
        assert candidates("onnx", "int8", made) == candidates("onnx", "int8", made)
    mixed = replace(made, plan=Plan.of(layers={"a.*": "binary"}))
    assert candidates("onnx", "int8", mixed)[0] == "int8-static"
    fixed = replace(made, plan=Plan.of(layers={"*": "int8-dynamic"}))
    assert candidates("onnx", "int8", fixed) == (FALLBACK,)


@pytest.mark.parametrize("network", ["int8-dynamic", "binary", "fp16"])
def test_a_network_that_changes_nothing_is_refused(network: str) -> None:
    """Asked for by name, it would be fp32 under another name."""
    graph, feeds = mlp()
    with pytest.raises(ConversionError, match="network=fp32"):
        network_graph("onnx", network, Ingredients(graph=graph, plan=Plan.of(float_weights=("*",)), feeds=feeds))


def test_words_outside_of_the_grammar_are_refused() -> None:
    """Of targets, networks, tables, calibration and plans."""
    graph, feeds = mlp()
    with pytest.raises(ConversionError, match="'coreml' is not known"):
        require_network("coreml", "fp32")
    with pytest.raises(ConversionError, match="no tflite form"):
        require_network("tflite", "int8-static")
    with pytest.raises(ConversionError, match="no tflite form"):
        require_network("tflite", "int8", Plan.of(layers={"*": "int8-static"}))
    with pytest.raises(ConversionError, match="'int3'"):
        Ingredients(graph=graph, plan=Plan(), feeds=feeds, tables="int3")
    with pytest.raises(ConversionError, match="'kl'"):
        Ingredients(graph=graph, plan=Plan(), feeds=feeds, calibration="kl")
    with pytest.raises(ConversionError, match="'int8'"):
        Plan.of(layers={"a.*": "int8"})
    with pytest.raises(ConversionError, match=r"'encoder\.\*'.*a\.weight"):
        network_graph("onnx", "fp32", Ingredients(graph=graph, plan=Plan.of(layers={"encoder.*": "fp16"}), feeds=feeds))
