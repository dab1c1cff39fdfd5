"""Layouts fp32 and fp16 in C: at every level of this CPU the best rows, each scored in the documented order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_runtime import Fp16Table, Fp32Table
from edge_rec_runtime.errors import BundleError
from edge_rec_runtime.search import best, top_k

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from edge_rec_runtime.kernels import Kernel

DIMS = st.one_of(st.sampled_from([1, 3, 15, 16, 17, 32, 48, 64, 65, 96, 128, 256]), st.integers(1, 200))


@dataclass(frozen=True)
class Case:
    """A table, queries [batch, dims], what may be returned [rows], how many are asked for."""

    table: Fp32Table | Fp16Table
    queries: NDArray[np.float32]
    allowed: NDArray[np.bool_] | None
    k: int
    threads: int


@st.composite
def cases(draw: st.DrawFn, *, whole: bool) -> Case:
    """Draw tables of odd lengths and widths; of small whole numbers, whose sums are exact and often equal, or of any."""
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, dims = draw(st.one_of(st.integers(1, 100), st.integers(1, 1500))), draw(DIMS)
    half = draw(st.booleans())
    if whole:
        values = source.integers(-3, 4, size=(rows, dims)).astype(np.float32)
        queries = source.integers(-3, 4, size=(draw(st.integers(1, 4)), dims)).astype(np.float32)
        bias = source.integers(-3, 4, size=rows).astype(np.float32)
    else:
        norms = 10.0 ** source.uniform(-1, 1, size=(rows, 1)) if draw(st.booleans()) else 1.0
        values = (source.normal(size=(rows, dims)) * norms).astype(np.float32)
        queries = source.normal(size=(draw(st.integers(1, 4)), dims)).astype(np.float32)
        bias = source.normal(size=rows).astype(np.float32)
    given = bias if draw(st.booleans()) else None
    table = Fp16Table.encode(values, given) if half else Fp32Table.encode(values, given)
    share = draw(st.sampled_from([None, 0.0, 0.01, 0.5, 1.0]))
    allowed = None if share is None else source.random(rows) < share
    return Case(table, queries, allowed, draw(st.one_of(st.integers(1, 30), st.integers(1, 2 * rows))), draw(st.integers(1, 3)))


def kernel_of(native: ModuleType, table: Fp32Table | Fp16Table, level: str) -> Kernel:
    """Return the kernel of a table at a level."""
    kind = native.Fp32 if isinstance(table, Fp32Table) else native.Fp16
    kernel: Kernel = kind(table.values, table.bias, level=level)
    return kernel


def asked(
    kernel: Kernel, queries: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None = None, threads: int = 1
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return what a kernel finds, cut to what it found."""
    rows, scores = np.full((*queries.shape[:-1], k), -7, np.int64), np.full((*queries.shape[:-1], k), np.nan, np.float32)
    found = kernel.top_k(queries, k, rows, scores, allowed, threads)
    return rows[..., :found], scores[..., :found]


def in_order(table: Fp32Table | Fp16Table, query: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the scores [rows] in the order of the portable path: 16 lanes, then a tree; each step rounded."""
    width = -(-table.dims // 16) * 16
    values, wide = np.zeros((table.rows, width), np.float32), np.zeros(width, np.float32)
    values[:, : table.dims], wide[: table.dims] = table.values, query
    lanes = np.zeros((table.rows, 16), np.float32)
    for start in range(0, width, 16):
        lanes += values[:, start : start + 16] * wide[start : start + 16]
    quarters = lanes.reshape(-1, 4, 4)
    sums = (quarters[..., 0] + quarters[..., 2]) + (quarters[..., 1] + quarters[..., 3])
    total: NDArray[np.float32] = (sums[:, 0] + sums[:, 1]) + (sums[:, 2] + sums[:, 3])
    return total if table.bias is None else total + table.bias


@settings(max_examples=60, deadline=None)
@given(cases(whole=True))
def test_exact_sums_give_numpys_answer(native: ModuleType, case: Case) -> None:
    """Where no sum is rounded every level finds numpy's rows and scores, ties in row order; in a batch, filtered, on threads."""
    for level in native.levels():
        rows, scores = asked(kernel_of(native, case.table, level), case.queries, case.k, case.allowed, case.threads)
        for query, found, values in zip(case.queries, rows, scores, strict=True):
            among = np.arange(case.table.rows) if case.allowed is None else np.flatnonzero(case.allowed)
            expected, exact = best(among, case.table.scores(query)[among], case.k)
            assert np.array_equal(found, expected), level
            assert np.array_equal(values, exact), level


@settings(max_examples=60, deadline=None)
@given(cases(whole=False))
def test_scores_are_sums_in_one_order(native: ModuleType, case: Case) -> None:
    """A row's score is the same bits in every call of a level: the portable ones as documented, the fused ones alike."""
    among = np.arange(case.table.rows) if case.allowed is None else np.flatnonzero(case.allowed)
    for query in case.queries:
        scored = {}
        for level in native.levels():
            kernel = kernel_of(native, case.table, level)
            rows, scores = asked(kernel, query, case.table.rows)
            scored[level] = np.empty(case.table.rows, np.float32)
            scored[level][rows] = scores
            size = np.abs(case.table.values.astype(np.float64)) @ np.abs(query.astype(np.float64)) + 1e-30
            exact = case.table.values.astype(np.float64) @ query.astype(np.float64)
            exact += 0 if case.table.bias is None else case.table.bias
            assert (np.abs(scored[level] - exact) <= 1e-6 * (size + np.abs(exact))).all(), level
            expected, values = best(among, scored[level][among], case.k)
            found = asked(kernel, query, case.k, case.allowed, case.threads)
            assert np.array_equal(found[0], expected), level
            assert np.array_equal(found[1], values), level
        assert np.array_equal(scored.pop("portable"), in_order(case.table, query))
        assert all(np.array_equal(one, next(iter(scored.values()))) for one in scored.values())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 7, 16, 99, 100])
def test_values_that_are_not_finite_are_not_passed_over(native: ModuleType, value: float, place: int) -> None:
    """One such value anywhere and the table is not searched: the reference says that it is damaged."""
    values = np.random.default_rng(0).normal(size=(101, 24)).astype(np.float32)
    values[place, 3] = value
    query = np.ones(24, np.float32)
    for level in native.levels():
        for kind, dtype in ((native.Fp32, np.float32), (native.Fp16, np.float16)):
            with pytest.raises(OverflowError, match="leave float32"):
                asked(kind(values.astype(dtype), level=level), query, 5)
    with pytest.raises(BundleError, match="not finite"):
        top_k(Fp32Table(values), query, 5)


def test_sums_beyond_float32_are_not_returned(native: ModuleType) -> None:
    """Finite values whose products overflow are refused, and so are queries that are not finite."""
    values = np.full((40, 5), 3e38, np.float32)
    for level in native.levels():
        with pytest.raises(OverflowError):
            asked(native.Fp32(values, level=level), np.full(5, 2, np.float32), 1)
        for wrong in (np.nan, np.inf, -np.inf):
            with pytest.raises(ValueError, match="NaN or infinite"):
                asked(native.Fp32(values, level=level), np.array([1, 1, 1, 1, wrong], np.float32), 1)


def test_tables_are_searched_through_their_kernel() -> None:
    """Tables of the runtime have the kernel, and find with it what the reference finds."""
    source = np.random.default_rng(1)
    values, query = source.normal(size=(3000, 48)).astype(np.float32), source.normal(size=48).astype(np.float32)
    for table in (Fp32Table.encode(values), Fp16Table.encode(values)):
        rows, scores = top_k(table, query, 20)
        expected, exact = best(np.arange(table.rows), table.scores(query), 20)
        assert table.kernel is not None
        assert np.array_equal(rows, expected)
        assert np.allclose(scores, exact, rtol=1e-5)
