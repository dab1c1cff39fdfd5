"""A SASRec as one graph, in every precision and in both engines, held against the runtime's own recommendations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from graph_pairs import LONGEST, TARGETS, Pair, batch, pair, prepared, source
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_rec_converters.kinds.retriever import PreparedRetriever

ITEMS, K = 300, 20
PRECISIONS = (
    "fp32",
    "items=fp16,network=fp16",
    "items=int8,network=int8-dynamic",
    "items=int4,network=int8-weights",
    "items=binary,network=fp32",
    "items=binary,network=int8-dynamic,rescore=int8",
)
FAR = (2**31 - 1, -(2**31))


@pytest.fixture(scope="module")
def small() -> PreparedRetriever:
    """The model, exported once."""
    return prepared(source(items=ITEMS))


@pytest.fixture(scope="module", params=[(target, precision) for target in TARGETS for precision in PRECISIONS], ids=" ".join)
def both(small: PreparedRetriever, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """The model in a bundle and as a graph, for each target and precision in turn."""
    target, precision = request.param
    made = pair(small, tmp_path_factory.mktemp("retriever"), target=target, precision=precision, k=K)
    yield made
    made.recommender.close()


def test_a_graph_answers_as_the_runtime(both: Pair) -> None:
    """Items, their order and their scores, whatever stands in a history and wherever; alone and in a batch."""
    rng = np.random.default_rng(5)
    histories = batch(
        [3],
        [-1, -1, 4, -1, 9],
        [*FAR, 8, 8, 8, ITEMS - 1, ITEMS, -2],
        rng.integers(0, ITEMS, 40).tolist(),
        rng.integers(-50, ITEMS + 50, LONGEST).tolist(),
        [-1],
    )
    assert both.differences(histories) == []
    for history in histories:
        assert both.differences(history[None]) == []
    assert both.differences(batch([5])) == []


def test_nothing_is_left(both: Pair) -> None:
    """Of a history with all items but a few, these few are answered; of one with all items, none."""
    assert both.differences(batch(list(range(3, ITEMS)), list(range(ITEMS)))) == []


_NUMBERS = st.one_of(st.integers(0, ITEMS - 1), st.integers(-3, ITEMS + 3), st.sampled_from(FAR))


@settings(max_examples=12, deadline=None)
@given(histories=st.lists(st.lists(_NUMBERS, min_size=1, max_size=30), min_size=1, max_size=4))
def test_any_history_is_answered_as_the_runtime_does(both: Pair, histories: list[list[int]]) -> None:
    """Drawn histories of different lengths, side by side."""
    assert both.differences(batch(*histories)) == []
