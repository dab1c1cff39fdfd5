"""Exact top-K and rescoring, against a plain sort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec_runtime import BinaryTable, Fp32Table, Int8Table, ItemTable, top_k, top_k_batch
from edge_rec_runtime.errors import BundleError, RequestError
from edge_rec_runtime.search import CANDIDATE_FLOOR, CANDIDATES_PER_RESULT, search

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sorted_rows(scores: NDArray[np.float32], allowed: NDArray[np.bool_], k: int) -> list[int]:
    """Return the k best allowed rows by sorting them all; equal scores in row order."""
    return sorted(np.flatnonzero(allowed).tolist(), key=lambda row: (-scores[row], row))[:k]


@given(st.integers(1, 200), st.integers(1, 250), st.integers(1, 4), st.integers(0, 2**32), st.floats(0, 1))
def test_top_k_equals_a_sort(rows: int, k: int, levels: int, seed: int, share: float) -> None:
    """With many ties, any filter and any k: the sort's rows, and never more than there are."""
    source = np.random.default_rng(seed)
    table = Fp32Table.encode(source.integers(-levels, levels + 1, size=(rows, 2)))
    query = source.integers(-2, 3, size=2).astype(np.float32)
    allowed = source.random(rows) < share
    scores = table.scores(query)
    found, values = top_k(table, query, k, allowed=allowed)
    assert found.tolist() == sorted_rows(scores, allowed, k)
    assert np.array_equal(values, scores[found])
    everything, _ = top_k(table, query, k)
    assert everything.tolist() == sorted_rows(scores, np.ones(rows, bool), k)
    assert (found.dtype, values.dtype) == (np.int64, np.float32)


@given(st.integers(1, 300), st.integers(1, 40), st.integers(0, 9), st.integers(1, 3), st.integers(0, 2**32), st.floats(0, 1))
def test_a_batch_gives_what_each_query_gives_alone(  # noqa: PLR0917
    rows: int, k: int, batch: int, threads: int, seed: int, share: float
) -> None:
    """Whatever has a kernel and whatever has none: rows and scores of each query, on any number of threads, filtered or not."""
    source = np.random.default_rng(seed)
    values = source.integers(-3, 4, size=(rows, 8)).astype(np.float32)
    queries = source.normal(size=(batch, 8)).astype(np.float32)
    tables: tuple[ItemTable, ...] = (Int8Table.encode(values), Fp32Table.encode(values))
    for table in tables:
        for allowed in (None, source.random(rows) < share):
            found, scores = top_k_batch(table, queries, k, allowed=allowed, threads=threads)
            assert (len(found), found.dtype, scores.dtype) == (batch, np.int64, np.float32)
            for place, query in enumerate(queries):
                alone, values_alone = top_k(table, query, k, allowed=allowed)
                assert np.array_equal(found[place], alone)
                assert np.array_equal(scores[place], values_alone)


@given(st.integers(1, 400), st.integers(1, 60), st.integers(0, 2**32))
def test_rescoring_orders_the_scans_best_by_their_exact_scores(rows: int, k: int, seed: int) -> None:
    """The result is the exact order of the candidates that the scan keeps, and the scores are the rescore table's."""
    source = np.random.default_rng(seed)
    values = source.normal(size=(rows, 8)).astype(np.float32)
    query = source.normal(size=8).astype(np.float32)
    allowed = source.random(rows) < 0.8
    coarse, exact = BinaryTable.pack(values > 0, np.ones(rows), None, np.eye(8)), Int8Table.encode(values)
    kept = sorted_rows(coarse.scores(query), allowed, max(CANDIDATES_PER_RESULT * k, CANDIDATE_FLOOR))
    found, scores = search(coarse, query, k, rescore=exact, allowed=allowed)
    assert found.tolist() == sorted_rows(exact.scores(query), np.isin(np.arange(rows), kept), k)
    assert np.array_equal(scores, exact.scores(query)[found])


def test_ten_results_cost_a_hundred_candidates() -> None:
    """The quality of ``binary`` is stated for at most a hundred candidates at k = 10."""
    assert max(CANDIDATES_PER_RESULT * 10, CANDIDATE_FLOOR) == 100


def test_what_cannot_be_searched_is_refused() -> None:
    """K below 1, a filter of another length or kind, and a table of NaN are each one sentence."""
    table = Fp32Table.encode(np.ones((3, 2)))
    query = np.ones(2, np.float32)
    for rescore in (None, table):
        with pytest.raises(RequestError, match="k is 0"):
            search(table, query, 0, rescore=rescore)
    with pytest.raises(RequestError, match="threads is 0"):
        top_k(table, query, 1, threads=0)
    with pytest.raises(RequestError, match=r"queries have shape \[2\]"):
        top_k_batch(table, query, 1)
    for allowed in (np.ones(4, bool), np.ones(3, np.int64)):
        with pytest.raises(RequestError, match=r"expected bool \[3\]"):
            top_k(table, query, 1, allowed=allowed)
    with pytest.raises(BundleError, match="not finite"):
        top_k(Int8Table(np.ones((3, 2), np.int8), np.array([1, np.nan, 1], np.float16)), query, 1)
