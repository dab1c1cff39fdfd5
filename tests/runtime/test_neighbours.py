"""Tables of neighbours, and the recommender that serves from one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec_runtime import LAYOUTS, Bundle, Precision, Recommender, SparseInt8Table, SparseTable
from edge_rec_runtime.codes import SPARSE_LAYOUTS
from edge_rec_runtime.errors import BackendError, BundleError, ConversionError, ModelError, RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MakeBundle = Callable[..., Path]


def sparse(weights: NDArray[np.float32]) -> SparseTable:
    """Return weights [items, items] without their zeros."""
    starts = np.concatenate([[0], np.cumsum((weights != 0).sum(axis=1))])
    return SparseTable.encode(starts, np.nonzero(weights)[1], weights[weights != 0])


def dense(table: SparseTable | SparseInt8Table) -> NDArray[np.float32]:
    """Return the weights [items, items] of a table, read as the format's description says."""
    parts = table.parts()
    weights = np.zeros((table.rows, table.rows), np.float32)
    for row in range(table.rows):
        part = slice(int(parts["starts"][row]), int(parts["starts"][row + 1]))
        values = parts["values"][part] if "values" in parts else parts["codes"][part] * np.float32(parts["scales"][row])
        weights[row, parts["items"][part]] = values
    return weights


@st.composite
def matrices(draw: st.DrawFn) -> NDArray[np.float32]:
    """Draw weights [n, n] of any density with at least one that is not zero; rows may be empty and of any scale."""
    size = draw(st.integers(1, 30))
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = source.normal(size=(size, size)) * source.choice([0, 1e-6, 1, 1e4], size=(size, 1))
    weights[source.random((size, size)) > draw(st.floats(0, 1))] = 0
    weights[source.integers(size), source.integers(size)] = 1
    return weights.astype(np.float32)


@given(matrices(), st.integers(0, 2**32))
def test_scores_are_sums_of_rows(weights: NDArray[np.float32], seed: int) -> None:
    """A score is the float64 sum of W[i, j] over the rows of the query, in both layouts, and rebuilt tables give the same."""
    table = sparse(weights)
    assert np.array_equal(dense(table), weights)
    query = np.flatnonzero(np.random.default_rng(seed).random(len(weights)) > 0.5)
    for one in (table, SparseInt8Table.encode(table)):
        expected = dense(one)[query].sum(axis=0, dtype=np.float64).astype(np.float32)
        again = SPARSE_LAYOUTS[one.layout].from_parts(one.parts())
        assert np.array_equal(one.scores(query), expected)
        assert np.array_equal(again.scores(query), expected)
        assert (again.rows, again.weights) == (len(weights), np.count_nonzero(weights))


@given(matrices())
def test_int8_weights_are_within_half_a_step(weights: NDArray[np.float32]) -> None:
    """Each row has its own scale, so that small rows keep their weights beside large ones."""
    table = SparseInt8Table.encode(sparse(weights))
    steps = np.abs(weights).max(axis=1, keepdims=True) / 127
    assert (np.abs(dense(table) - weights) <= steps * 0.5625 + 1e-30).all()
    assert table.codes.min() >= -127


def test_rows_may_come_in_any_order() -> None:
    """Items of a row are put in order; where catalogues are small their numbers take two bytes."""
    table = SparseTable.encode(np.array([0, 2, 3]), np.array([1, 0, 1]), np.array([5.0, 6.0, 7.0]))
    assert dense(table).tolist() == [[6, 5], [0, 7]]
    assert table.items.dtype == np.uint16
    many = SparseTable.encode(np.concatenate([[0], np.ones(70_000, np.int64)]), np.array([69_999]), np.ones(1))
    assert many.items.dtype == np.uint32


@pytest.mark.parametrize(
    ("starts", "items", "values", "message"),
    [
        ([0, 1], [0], [np.nan], "finite"),
        ([0, 1], [1], [1.0], "expected 0 to 0"),
        ([0, 1], [-1], [1.0], "expected 0 to 0"),
        ([0, 2, 1], [0, 1], [1.0, 1.0], "must ascend"),
        ([1, 2], [0, 0], [1.0, 1.0], "must ascend"),
        ([0, 2], [0, 0], [1.0, 1.0], "twice in row 0"),
        ([0, 1], [0, 0], [1.0, 1.0], "must ascend"),
        ([0, 0], [], [], "expected whole numbers"),
        ([0.0, 1.0], [0], [1.0], "expected whole numbers"),
        ([0, 1], [0], [1.0, 2.0], "expected whole numbers"),
    ],
)
def test_what_is_no_table_is_refused(starts: list[int], items: list[int], values: list[float], message: str) -> None:
    """Pointers that fall, items that are none, doubled items and weights that are not finite are each one sentence."""
    with pytest.raises(ModelError, match=message):
        SparseTable.encode(np.array(starts), np.array(items), np.array(values))


@pytest.fixture(params=["fp32", "int8"])
def recommender(request: pytest.FixtureRequest, make_neighbours: MakeBundle) -> Iterator[Recommender]:
    """Yield a recommender of each layout."""
    with Recommender.open(make_neighbours(precision=request.param), verify="full") as opened:
        yield opened


def weights_of(recommender: Recommender) -> NDArray[np.float32]:
    """Return the weights that a recommender scores with."""
    table = recommender.exact
    assert isinstance(table, SparseTable | SparseInt8Table)
    return dense(table)


def test_a_history_is_scored_by_the_distinct_items_of_its_window(recommender: Recommender) -> None:
    """Repeated events count once, events beyond the window only as seen, ties stand in the catalogue's order."""
    weights = weights_of(recommender)
    history = ["i9", "i2", "i3", "i3", "i4", "i3", "i5", "i7"]  # the window is six: i9 and i2 are beyond it
    scores = weights[[3, 4, 5, 7]].sum(axis=0, dtype=np.float64).astype(np.float32)
    seen = {9, 2, 3, 4, 5, 7}
    order = [row for row in np.argsort(-scores, kind="stable").tolist() if row not in seen]
    answer = recommender.recommend([*history, "unknown"], k=100)
    assert answer.ids == tuple(f"i{row}" for row in order)
    assert [one.score for one in answer] == scores[order].tolist()
    assert (answer.ignored, answer.fallback, recommender.backend) == (("unknown",), False, "numpy")
    assert recommender.score(history, ["i3", "i0"]).tolist() == scores[[3, 0]].tolist()
    assert recommender.recommend([], k=2).ids == ("i0", "i1")


def test_an_answer_is_the_stages_composed(recommender: Recommender) -> None:
    """The six stages of a request are those of every recommender."""
    rows, _ = recommender.lookup(["i3", "i4", "i3"])
    query = recommender.encode(*recommender.gather(rows))[0]
    found, scores = recommender.search(query, 5, recommender.allowed(rows))
    assert recommender.recommend(["i3", "i4", "i3"], k=5).items == recommender.label(found, scores)


def test_likeness_is_a_weight(recommender: Recommender) -> None:
    """similar() gives a row's largest weights, explain() the rows of the history that weigh most for an item; none below 0."""
    weights = weights_of(recommender)
    order = [row for row in np.argsort(-weights[3], kind="stable").tolist() if weights[3, row] > 0]
    answer = recommender.similar("i3", k=100)
    assert [(one.id, one.score) for one in answer] == [(f"i{row}", float(weights[3, row])) for row in order]
    assert len(recommender.similar("i1")) == 0
    why = recommender.explain([f"i{row}" for row in range(29, -1, -1)], "i8", k=4)
    best = np.argsort(-weights[:, 8], kind="stable")[:4]
    assert why.ids == tuple(f"i{row}" for row in best)


def test_it_takes_no_engine_and_no_context(make_neighbours: MakeBundle, recommender: Recommender) -> None:
    """Another backend than numpy, a context, and the tables of another kind are refused in a sentence."""
    with pytest.raises(BackendError, match="run by numpy and not by 'onnxruntime'"):
        Recommender.open(make_neighbours(), backend="onnxruntime")
    with pytest.raises(RequestError, match="threads is 0"):
        Recommender.open(make_neighbours(), threads=0)
    with pytest.raises(RequestError, match=r"no context and got \['age'\]"):
        recommender.recommend(["i1"], context={"age": "25"})
    with Bundle.open(make_neighbours()) as bundle, pytest.raises(BundleError, match="'neighbours' has no table 'items'"):
        bundle.table("items")
    assert not set(LAYOUTS) & set(SPARSE_LAYOUTS)


@pytest.mark.parametrize("precision", ["fp16", "binary", "int4"])
def test_other_precisions_are_refused(precision: str) -> None:
    """A table of neighbours is stored in fp32 or int8; the message says so."""
    asked = Precision(items="int4") if precision == "int4" else Precision.parse(precision)
    with pytest.raises(ConversionError, match="use fp32 or int8"):
        asked.require("neighbours")
