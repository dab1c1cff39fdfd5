"""The hub: an encoder becomes a lean graph that computes the same, or a sentence says why not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir
import pytest
import torch
from torch import Tensor, nn

from edge_rec_converters.graph import encoder_graph
from edge_rec_converters.session import open_session
from edge_rec_converters.targets.onnx import emit
from edge_rec_converters.tidy import tidy
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable

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
        encoder_graph(replace(mean_source, float_weights=("head.*",)))


def test_an_encoder_that_cannot_be_traced_says_so(make_source: Callable[..., Retriever]) -> None:
    """Python control flow on values has no graph; the message says what to change."""

    class Branching(nn.Module):
        def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
            return vectors.sum(1) if float(mask.sum()) > 3 else vectors.mean(1)

    with pytest.raises(ConversionError, match="Branching cannot be exported to ONNX"):
        encoder_graph(make_source(Branching()))
