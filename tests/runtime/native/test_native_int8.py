"""Layout int8 in C: at every level of this CPU the rows and scores of the numpy reference, to the bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_runtime import Int8Table
from edge_rec_runtime.search import best

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from edge_rec_runtime.kernels import Kernel


@dataclass(frozen=True)
class Case:
    """A table, queries [batch, dims], what may be returned [rows], and how many are asked for."""

    table: Int8Table
    queries: NDArray[np.float32]
    allowed: NDArray[np.bool_] | None
    k: int
    threads: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw tables of odd lengths and widths, with ties, extreme codes, both kinds of scales, filters that forbid much or all."""
    rows = draw(st.one_of(st.integers(1, 200), st.integers(1, 3000)))
    dims = draw(st.one_of(st.sampled_from([1, 3, 16, 31, 32, 33, 63, 64, 65, 96, 128, 256]), st.integers(1, 300)))
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    most = draw(st.sampled_from([1, 20, 127]))
    codes = source.integers(-most, most + 1, size=(rows, dims)).astype(np.int8)
    if draw(st.booleans()):
        codes[source.random(rows) < 0.5] = source.choice(np.array([-128, 127], np.int8))
    scales = source.choice([0, 6e-8, 1e-3, 0.5, 1.0, 30.0], size=rows)
    bias = source.normal(size=rows).astype(draw(st.sampled_from([np.float16, np.float32]))) if draw(st.booleans()) else None
    table = Int8Table(codes, scales.astype(draw(st.sampled_from([np.float16, np.float32]))), bias)
    queries = (source.normal(size=(draw(st.integers(1, 9)), dims)) * draw(st.sampled_from([0, 1e-42, 1, 1e20]))).astype(
        np.float32
    )
    share = draw(st.sampled_from([None, 0.0, 0.01, 0.5, 1.0]))
    allowed = None if share is None else source.random(rows) < share
    return Case(table, queries, allowed, draw(st.one_of(st.integers(1, 50), st.integers(1, 2 * rows))), draw(st.integers(1, 3)))


def reference(case: Case, query: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the best rows and scores as numpy finds them."""
    scores = case.table.scores(query)
    rows = np.arange(case.table.rows) if case.allowed is None else np.flatnonzero(case.allowed)
    return best(rows, scores[rows], case.k)


def asked(kernel: Kernel, queries: NDArray[np.float32], case: Case, *, packed: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return what a kernel finds, cut to what it found."""
    k = case.k
    rows, scores = np.full((*queries.shape[:-1], k), -7, np.int64), np.full((*queries.shape[:-1], k), np.nan, np.float32)
    allowed = case.allowed if case.allowed is None or not packed else np.packbits(case.allowed, bitorder="little")
    found = kernel.top_k(queries, k, rows, scores, allowed, case.threads)
    assert (rows[..., found:] == -7).all()
    return rows[..., :found], scores[..., :found]


@settings(deadline=None)
@given(cases(), st.booleans())
def test_every_level_finds_what_numpy_finds(native: ModuleType, case: Case, packed: bool) -> None:  # noqa: FBT001
    """One query or a batch, alone or on threads, filtered by bytes or bits: the same rows and the same scores to the bit."""
    for level in native.levels():
        kernel = native.Int8(case.table.codes, case.table.scales, case.table.bias, level=level)
        rows, scores = asked(kernel, case.queries, case, packed=packed)
        for query, found, values in zip(case.queries, rows, scores, strict=True):
            expected, exact = reference(case, query)
            assert np.array_equal(found, expected), level
            assert np.array_equal(values, exact), level
            alone = asked(kernel, query, case, packed=packed)
            assert np.array_equal(alone[0], expected), level
            assert np.array_equal(alone[1], exact), level


def test_threads_share_a_table_and_ties_stay_in_row_order(native: ModuleType) -> None:
    """A table large enough for parts: any number of threads gives the rows of one, where all scores are equal, too."""
    source = np.random.default_rng(3)
    codes = source.integers(-3, 4, size=(100_003, 8)).astype(np.int8)
    for scales in (np.ones(len(codes), np.float16), np.zeros(len(codes), np.float32)):
        table = Int8Table(codes, scales)
        query = source.normal(size=8).astype(np.float32)
        for threads in (1, 2, 3, 7, 64):
            case = Case(table, query[None], None, 25, threads)
            for level in native.levels():
                found, scores = asked(native.Int8(codes, scales, level=level), query, case, packed=False)
                expected, exact = reference(case, query)
                assert np.array_equal(found, expected)
                assert np.array_equal(scores, exact)


@pytest.mark.parametrize("level", [None, "portable"])
def test_scores_that_might_leave_float32_are_left_to_numpy(native: ModuleType, level: str | None) -> None:
    """A query so large that a score could be infinite is refused, and one of NaN or infinity."""
    kernel = native.Int8(np.ones((3, 2), np.int8), np.full(3, 1e30, np.float32), level=level)
    rows, scores = np.empty(1, np.int64), np.empty(1, np.float32)
    with pytest.raises(OverflowError, match="leave float32"):
        kernel.top_k(np.full(2, 1e9, np.float32), 1, rows, scores)
    for value in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match="NaN or infinite"):
            kernel.top_k(np.array([1, value], np.float32), 1, rows, scores)
