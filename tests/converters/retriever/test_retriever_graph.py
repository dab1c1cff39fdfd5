"""Retriever graphs in real engines, held against the runtime's own recommendations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from retrieving import LONGEST, TARGETS, batch, pair, prepared, source

if TYPE_CHECKING:
    from edge_rec_converters.kinds.retriever import PreparedRetriever

PRECISIONS = (
    "fp32",
    "items=fp16,network=fp16",
    "items=int8,network=int8-dynamic",
    "items=int4,network=int8-weights",
    "items=binary,network=fp32",
    "items=binary,network=int8-dynamic,rescore=int8",
)


@pytest.fixture(scope="session")
def small() -> PreparedRetriever:
    """A SASRec of 300 items."""
    return prepared(source())


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_graph_answers_as_the_runtime(
    small: PreparedRetriever, tmp_path_factory: pytest.TempPathFactory, target: str, precision: str
) -> None:
    """Items, their order and their scores, whatever stands in a history and wherever; alone and in a batch."""
    both = pair(small, tmp_path_factory.mktemp("retriever"), target=target, precision=precision)
    rng = np.random.default_rng(5)
    far = [2**31 - 1, -(2**31)]
    given = batch(
        [3],
        [-1, -1, 4, -1, 9],
        [*far, 8, 8, 8, 299, 300, -2],
        rng.integers(0, 300, 40).tolist(),
        rng.integers(-50, 350, LONGEST).tolist(),
        [-1],
    )
    assert both.differences(given) == []
    for history in given:
        assert both.differences(history[None]) == []
    assert both.differences(batch([5])) == []
