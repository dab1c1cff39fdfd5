"""The hub: an encoder becomes a lean graph that computes the same, or a sentence says why not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir
import pytest
import torch
from torch import Tensor, nn

from edge_rec_converters import Ranker
from edge_rec_converters.graph import model_graph
from edge_rec_converters.session import open_session
from edge_rec_converters.signature import signature
from edge_rec_converters.targets.onnx import emit
from edge_rec_converters.tidy import tidy
from edge_rec_converters.torch_export import from_torch
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import ConversionError
from edge_rec_runtime.features import Feature

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_rec_converters import Prepared, Retriever


@pytest.mark.parametrize(("batch", "length"), [(1, 1), (1, 20), (7, 3)])
def test_the_graph_computes_what_the_module_does(prepared: Prepared, batch: int, length: int) -> None:
    """Batch and length are free, and the query is torch's to 1e-5."""
    vectors = np.random.default_rng(0).normal(size=(batch, length, 32)).astype(np.float32)
    mask = np.ones((batch, length), np.float32)
    encoder = prepared.source.encoder
    assert isinstance(encoder, nn.Module)
    found = open_session(emit(prepared.graph)).run(None, {"vectors": vectors, "mask": mask})[0]
    with torch.no_grad():
        np.testing.assert_allclose(found, encoder(torch.tensor(vectors), torch.tensor(mask)).numpy(), atol=1e-5)


def test_the_graph_carries_no_traces(prepared: Prepared) -> None:
    """A file is its weights and at most 4 KB more: no stack traces, no long names."""
    encoder = prepared.source.encoder
    assert isinstance(encoder, nn.Module)
    weights = sum(parameter.numel() * 4 for parameter in encoder.parameters())
    assert len(emit(prepared.graph)) < weights + 4096


def test_weights_keep_the_names_of_their_parameters(prepared: Prepared) -> None:
    """Precisions are assigned by name, so folding a transpose must not lose it."""
    assert {"positions", "expand.weight", "contract.weight"} <= set(prepared.graph.graph.initializers)


def test_tidy_leaves_what_it_was_given(prepared: Prepared) -> None:
    """A rewrite returns a new graph."""
    before = ir.to_proto(prepared.graph).SerializeToString()
    tidy(prepared.graph)
    assert ir.to_proto(prepared.graph).SerializeToString() == before


def test_a_pattern_that_matches_no_weight_is_refused(mean_source: Retriever) -> None:
    """A typing error in float_weights would round a weight that was meant to stay; the message lists the weights."""
    with pytest.raises(ConversionError, match=r"'head\.\*'.*contract\.weight"):
        model_graph(replace(mean_source, float_weights=("head.*",)))


def test_an_encoder_that_cannot_be_traced_says_so(make_source: Callable[..., Retriever]) -> None:
    """Python control flow on values has no graph; the message says what to change."""

    class Branching(nn.Module):
        def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
            return vectors.sum(1) if float(mask.sum()) > 3 else vectors.mean(1)

    with pytest.raises(ConversionError, match="Branching cannot be exported to ONNX"):
        model_graph(make_source(Branching()))


_FEATURES = (
    Feature("item", "category", "item", tuple(f"i{row}" for row in range(30))),
    Feature("genres", "categories", "item", ("Drama", "War", "Comedy"), longest=3),
    Feature("seen", "categories", "context", tuple(f"i{row}" for row in range(30)), longest=3),
    Feature("age", "number", "context"),
)


class _Scorer(nn.Module):
    """A ranker of every kind of feature."""

    def __init__(self) -> None:
        super().__init__()
        self.item, self.genre = nn.Embedding(31, 8), nn.Embedding(4, 8)
        self.hidden = nn.Sequential(nn.Linear(25, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, item: Tensor, *rest: Tensor) -> Tensor:
        """See `Ranker`."""
        genres, seen, age = rest
        pooled = [(table(ids) * (ids != 0)[..., None]).sum(1) for table, ids in ((self.genre, genres), (self.item, seen))]
        logit: Tensor = self.hidden(torch.cat([self.item(item), *pooled, age[:, None]], -1)).squeeze(-1)
        return logit


def _ranker(network: nn.Module | Path) -> Ranker:
    values = {"item": np.arange(1, 31, dtype=np.int32), "genres": np.ones((30, 3), np.int32)}
    ids = tuple(f"i{row}" for row in range(30))
    return Ranker(network=network, features=_FEATURES, item_values=values, catalogue=Catalogue(ids), name="scorer")


def test_a_ranker_takes_its_features_by_name() -> None:
    """Batch and the length of each list are free, an empty list and unknown words are 0, and the logit is torch's."""
    torch.manual_seed(0)
    network = _Scorer().eval()
    graph = model_graph(_ranker(network))
    assert [str(value.name) for value in graph.graph.inputs] == [feature.name for feature in _FEATURES]
    session, rng = open_session(emit(graph)), np.random.default_rng(0)
    for batch, genres, seen in ((1, 1, 1), (7, 3, 2), (32, 2, 3)):
        inputs = {
            "item": rng.integers(0, 31, batch).astype(np.int32),
            "genres": rng.integers(0, 4, (batch, genres)).astype(np.int32),
            "seen": rng.integers(0, 31, (batch, seen)).astype(np.int32),
            "age": rng.normal(size=batch).astype(np.float32),
        }
        with torch.no_grad():
            wanted = network(*map(torch.from_numpy, inputs.values())).numpy()
        np.testing.assert_allclose(session.run(["logit"], inputs)[0], wanted, atol=1e-5)


def test_a_module_that_takes_other_arguments_is_refused() -> None:
    """The sentence says which inputs there are."""

    class Two(nn.Module):
        def forward(self, item: Tensor, age: Tensor) -> Tensor:
            return item + age

    with pytest.raises(ConversionError, match=r"Two .*too many positional arguments; .*item \[batch\] int32"):
        model_graph(_ranker(Two()))


def test_lists_of_different_length_cannot_be_joined() -> None:
    """Each list is as long as it is; a network that takes two to be equally long would fail on the device."""

    class Joining(nn.Module):
        def forward(self, item: Tensor, genres: Tensor, seen: Tensor, age: Tensor) -> Tensor:
            return (genres + seen).sum(1) + item + age

    features = tuple(replace(feature, longest=20) if feature.kind == "categories" else feature for feature in _FEATURES)
    with pytest.raises(ConversionError, match="axes of 'genres' and 'seen' to be equally long"):
        model_graph(replace(_ranker(Joining()), features=features))


def test_nodes_know_where_they_came_from() -> None:
    """The path of the module, for the sentence about an operator that a target lacks."""
    module = _Scorer()
    wanted = signature(_ranker(module))
    places = {(node.op_type, node.metadata_props.get("place")) for node in from_torch(module, wanted).graph}
    assert {("Gemm", "hidden.0"), ("Relu", "hidden.1"), ("Gather", "item")} <= places
    assert module.training
    assert all(part.training for part in module.modules())
