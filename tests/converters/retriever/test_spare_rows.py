"""Batches of zero and histories of length zero: the graph for ONNX Runtime has an answer, and all others are what they were."""

from __future__ import annotations

import numpy as np
import pytest
from bare_graphs import encoder, graph
from graph_pairs import Engine

from edge_rec_converters.retriever import never_empty
from edge_rec_converters.targets import emitter
from edge_rec_runtime import Fp32Table, Int8Table

VALUES = np.random.default_rng(0).integers(-127, 128, (90, 16)).astype(np.float32)
K = 10


@pytest.mark.parametrize("layout", [Fp32Table, Int8Table])
def test_nothing_and_something_have_answers(layout: type[Fp32Table | Int8Table]) -> None:
    """No history gives no answer, one of length zero what one without events gives, and others keep theirs."""
    made = graph(layout.encode(VALUES))
    before, after = (Engine("onnx", emitter("onnx")(one)) for one in (made, never_empty(made)))
    for batch, length in ((0, 8), (0, 0), (0, 1)):
        items, scores = after(np.zeros((batch, length), np.int32))
        assert (items.shape, scores.shape) == ((0, K), (0, K))
    popular, met = before(np.full((2, 1), -1, np.int32))
    items, scores = after(np.zeros((2, 0), np.int32))
    assert np.array_equal(items, popular)
    assert np.array_equal(scores, met)
    for history in (np.array([[5, -1, 7]], np.int32), np.arange(60, dtype=np.int32).reshape(3, 20) - 2):
        for found, expected in zip(after(history), before(history), strict=True):
            assert np.array_equal(found, expected)


def test_what_it_is_given_stays_as_it_was() -> None:
    """Names of inputs and outputs are kept, those of features too, and the graph before is still the one it was."""
    made = graph(Fp32Table.encode(VALUES), around=encoder(16, context=", float[batch] loud", scale="loud"))
    count = len(made.graph)
    whole = never_empty(made).graph
    assert [value.name for value in whole.inputs] == ["history", "loud"]
    assert [value.name for value in whole.outputs] == ["items", "scores"]
    assert [value.name for value in made.graph.outputs] == ["items", "scores"]
    assert len(made.graph) == count < len(whole)
