"""The 4-bit shadow in C: at every level the rows and the scores of the full scan, to the bit, and most of the table unread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_runtime import Fp16Table, Fp32Table, Int8Table
from edge_rec_runtime.codes.shadow import Shadow
from edge_rec_runtime.search import top_k

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from numpy.typing import NDArray

    from edge_rec_runtime.kernels import Kernel

Floats = np.random.Generator
TABLES = (Fp32Table, Fp16Table, Int8Table)
Table = Fp32Table | Fp16Table | Int8Table

# what rows may look like: [rows, dims]
ROWS: dict[str, Callable[[Floats, int, int], NDArray[Any]]] = {
    "gaussian": lambda source, rows, dims: source.normal(size=(rows, dims)),
    "uneven norms": lambda source, rows, dims: source.normal(size=(rows, dims)) * 10.0 ** source.uniform(-4, 2, (rows, 1)),
    "decaying": lambda source, rows, dims: source.normal(size=(rows, dims)) * 0.9 ** np.arange(dims),
    "all equal": lambda source, rows, dims: np.tile(source.normal(size=(1, dims)), (rows, 1)),
    "few kinds": lambda source, rows, dims: source.normal(size=(3, dims))[source.integers(0, 3, rows)],
    "zeros": lambda _, rows, dims: np.zeros((rows, dims)),
    "some zeros": lambda source, rows, dims: source.normal(size=(rows, dims)) * (source.random((rows, 1)) < 0.3),
    "one value": lambda source, rows, dims: np.eye(dims)[source.integers(0, dims, rows)] * source.normal(size=(rows, 1)),
    "spikes": lambda source, rows, dims: source.normal(size=(rows, dims)) ** 7,
    "signs": lambda source, rows, dims: source.choice([-1.0, 1.0], (rows, dims)),
}


@dataclass(frozen=True)
class Case:
    """A table, queries [batch, dims], what may be returned [rows], how many are asked for."""

    table: Table
    queries: NDArray[np.float32]
    allowed: NDArray[np.bool_] | None
    k: int
    threads: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw tables of all layouts and kinds of rows, odd lengths and widths, sizes up to the ends of float32, some with a bias."""
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = draw(st.one_of(st.integers(1, 100), st.integers(500, 4000)))
    dims = draw(st.one_of(st.sampled_from([1, 7, 8, 9, 32, 63, 64, 65, 128]), st.integers(1, 150)))
    values = ROWS[draw(st.sampled_from(sorted(ROWS)))](source, rows, dims)
    kind = draw(st.sampled_from(TABLES))
    size = draw(st.sampled_from([1, 1, 1, 1e-3, 300, 1e-30, 1e30])) if kind is Fp32Table else 1
    values = np.clip(values * size, -3e38 if kind is Fp32Table else -6e4, 3e38 if kind is Fp32Table else 6e4).astype(np.float32)
    bias = (source.normal(size=rows) * draw(st.sampled_from([1, 100]))).astype(np.float32) if draw(st.booleans()) else None
    table: Any = kind
    queries = source.normal(size=(draw(st.integers(1, 3)), dims)) * draw(st.sampled_from([1, 1, 1, 0, 1e-25, 1e10]))
    if draw(st.booleans()):
        queries[0] = values[source.integers(0, rows)]
    share = draw(st.sampled_from([None, None, 0.0, 0.02, 0.5]))
    allowed = None if share is None else source.random(rows) < share
    k = draw(st.one_of(st.integers(1, 30), st.integers(1, 300)))
    return Case(table.encode(values, bias), queries.astype(np.float32), allowed, k, draw(st.integers(1, 2)))


def kernels(native: ModuleType, table: Table, shadow: Shadow) -> list[tuple[Kernel, Kernel]]:
    """Return for each level of this CPU the kernel of the table alone, and with its shadow."""
    exact = [table._exact_kernel(native, level) for level in native.levels()]
    return [(kernel, shadow.before(native, kernel)) for kernel in exact]


def asked(
    kernel: Kernel, queries: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None = None, threads: int = 1
) -> tuple[list[Any], list[Any]] | str:
    """Return rows and scores, cut to what was found, or the kind of error."""
    rows, scores = np.full((*queries.shape[:-1], k), -7, np.int64), np.full((*queries.shape[:-1], k), np.nan, np.float32)
    try:
        found = kernel.top_k(queries, k, rows, scores, allowed, threads)
    except OverflowError as error:
        return type(error).__name__
    return rows[..., :found].tolist(), scores[..., :found].tolist()


@settings(max_examples=120, deadline=None)
@given(cases())
def test_a_shadow_changes_nothing(native: ModuleType, case: Case) -> None:
    """Whatever the rows, their sizes, the query and the filter: rows and scores are those of the full scan."""
    for exact, shadowed in kernels(native, case.table, Shadow.encode(case.table)):
        for query in case.queries:
            expected = asked(exact, query, case.k, case.allowed, case.threads)
            assert asked(shadowed, query, case.k, case.allowed, case.threads) == expected
        batch = asked(exact, case.queries, case.k, case.allowed, case.threads)
        assert asked(shadowed, case.queries, case.k, case.allowed, case.threads) == batch


def test_a_row_is_found_whose_score_is_all_in_its_residual(native: ModuleType) -> None:
    """With a query along what the codes leave out the bound is met almost exactly; the best row still beats one just below."""
    source = np.random.default_rng(8)
    values = (source.normal(size=(4000, 64)) * 0.02).astype(np.float32)
    target, rival = 3900, 5
    values[target] = source.normal(size=64)
    shadow = Shadow.encode(Fp32Table.encode(values))
    group, place = shadow.groups[target // 32], target % 32
    step = (shadow.grid[:1].view(np.uint32) + np.uint32(int(group[place]) << 20)).view(np.float32)[0]
    lines = group[64:].reshape(8, 2, 16, 4)[:, place // 16, place % 16]
    codes = np.stack([lines & 15, lines >> 4], axis=1).ravel()
    query = (values[target] - step * (codes - np.float32(7.5))).astype(np.float32)
    values[rival] = query * (query @ values[target] / (query @ query) * np.float32(0.999))
    table = Fp32Table.encode(values)
    for exact, shadowed in kernels(native, table, Shadow.encode(table)):
        found: Any = asked(shadowed, query, 1)
        assert found == asked(exact, query, 1)
        assert found[0] == [target]


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("k", [1, 10, 100])
def test_rows_that_cannot_be_among_the_best_are_not_read(native: ModuleType, kind: Any, k: int) -> None:  # noqa: ANN401 - a class
    """With all rows but the best tenth spoilt after the shadow was made, the answer is the same."""
    source = np.random.default_rng(4)
    table = kind.encode(source.normal(size=(40_000, 64)).astype(np.float32))
    query = source.normal(size=64).astype(np.float32)
    shadow, scores = Shadow.encode(table), table.scores(query)
    first = kind.layout == "int8"
    spoilt = next(iter(table.parts().values())).copy()
    poor = scores < np.partition(scores, -4000)[-4000]
    poor[:8192] = False  # the first rows are read while nothing is known
    spoilt[poor] = 127 * np.sign(np.where(query == 0, 1, query)) if first else np.nan
    rotten = kind(spoilt, table.scales) if first else kind(spoilt)
    for (exact, _), (_, shadowed) in zip(kernels(native, table, shadow), kernels(native, rotten, shadow), strict=True):
        assert asked(shadowed, query, k) == asked(exact, query, k)


@pytest.mark.parametrize("threads", [1, 3])
def test_large_tables_are_searched_on_threads_and_in_batches(native: ModuleType, threads: int) -> None:
    """Many chunks, parts and pieces: one query or twelve, the same as without a shadow."""
    source = np.random.default_rng(5)
    table = Int8Table.encode((source.normal(size=(150_001, 16)) * source.uniform(0.5, 2, (150_001, 1))).astype(np.float32))
    queries = source.normal(size=(12, 16)).astype(np.float32)
    for exact, shadowed in kernels(native, table, Shadow.encode(table)):
        assert asked(shadowed, queries, 20, None, threads) == asked(exact, queries, 20, None, threads)
        assert asked(shadowed, queries[0], 20, None, threads) == asked(exact, queries[0], 20, None, threads)


def test_tables_with_a_shadow_are_searched_through_it(native: ModuleType) -> None:
    """A table of the runtime with a shadow answers as without; rows taken from it have none."""
    source = np.random.default_rng(6)
    table = Fp32Table.encode(source.normal(size=(5000, 24)).astype(np.float32))
    shadowed = table.with_shadow(Shadow.encode(table))
    assert isinstance(shadowed.kernel, native.Shadow)
    query = source.normal(size=24).astype(np.float32)
    (rows, scores), (same_rows, same_scores) = top_k(table, query, 25), top_k(shadowed, query, 25)
    assert np.array_equal(rows, same_rows)
    assert np.array_equal(scores, same_scores)
    assert np.array_equal(table.scores(query), shadowed.scores(query))
    assert set(shadowed.parts()) == {"values"}
    assert shadowed.take(np.arange(7)).shadow is None


def test_tables_of_few_rows_a_result_are_read_themselves(native: ModuleType) -> None:
    """Below rows_per_result rows for each of k results, or 10, a shadow that would hide all rows but the first hides none."""
    source = np.random.default_rng(9)
    table = Fp32Table.encode(source.normal(size=(2000, 16)).astype(np.float32))
    shadow = Shadow.encode(table)
    groups = shadow.groups.copy()
    groups[:, :64] = 0  # the least steps and no residuals: bounds far below any score
    query = source.normal(size=16).astype(np.float32)
    exact = native.Fp32(table.values)
    for k, least, read in ((10, 200, False), (10, 201, True), (1, 200, False), (1, 201, True), (20, 100, False), (20, 101, True)):
        found = asked(native.Shadow(exact, groups, float(shadow.grid[0]), 1.0, rows_per_result=least), query, k)
        assert (found == asked(exact, query, k)) == read


def test_what_does_not_fit_is_refused(native: ModuleType) -> None:
    """Groups of another size, steps without end, tables without a shadow's layout, and what is no table."""
    table = Int8Table.encode(np.ones((40, 9), np.float32))
    exact, shadow = native.Int8(table.codes, table.scales), Shadow.encode(table)
    step, spread = map(float, shadow.grid)
    for groups in (shadow.groups[:1], shadow.groups[:, :-64].copy(), shadow.groups.astype(np.int8), shadow.groups.ravel()):
        with pytest.raises((TypeError, ValueError)):
            native.Shadow(exact, groups, step, spread)
    for first in (np.nan, 0, -1, 1e30, 1e-40, np.inf, -np.inf):
        with pytest.raises(ValueError, match="no positive"):
            native.Shadow(exact, shadow.groups, first, spread)
    for length in (np.nan, -1, np.inf):
        with pytest.raises(ValueError, match="no positive"):
            native.Shadow(exact, shadow.groups, step, length)
    for wrong in (native.Shadow(exact, shadow.groups, step, spread), table, None, shadow.groups):
        with pytest.raises(TypeError):
            native.Shadow(wrong, shadow.groups, step, spread)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_hostile_groups_read_nothing_outside_the_table(native: ModuleType, data: st.DataObject) -> None:
    """Any bytes in the place of a shadow give some rows of the table, each once, with its own score."""
    source = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    table = Fp32Table.encode(source.normal(size=(1200, 20)).astype(np.float32))
    groups = source.integers(0, 256, size=(38, (2 * 3 + 1) * 64)).astype(np.uint8)
    query = source.normal(size=20).astype(np.float32)
    for level in native.levels():
        exact = native.Fp32(table.values, level=level)
        every: Any = asked(exact, query, 1200)
        scores = dict(zip(*every, strict=True))
        found: Any = asked(native.Shadow(exact, groups, 1e-9, data.draw(st.sampled_from([0.0, 30.0, 1e12]))), query, 50)
        assert len(set(found[0])) == len(found[0])
        assert [scores[row] for row in found[0]] == found[1]
