"""Signs against signs in C: at every level of this CPU the rows and scores of the numpy reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from asking import Question, answer_of, expected_of, questions
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_runtime import HammingTable
from edge_rec_runtime.search import best, top_k

if TYPE_CHECKING:
    from types import ModuleType

WIDTHS = [1, 7, 8, 31, 32, 40, 63, 64, 65, 96, 100, 128, 129, 192, 250, 256, 512, 513, 700]


@st.composite
def tables(draw: st.DrawFn) -> HammingTable:
    """Draw tables of odd lengths and widths, some of few distinct rows, with any bits past their width."""
    rows = draw(st.one_of(st.integers(1, 200), st.integers(1, 3000)))
    width = draw(st.one_of(st.sampled_from(WIDTHS), st.integers(1, 300)))
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    bits = source.integers(0, 256, size=(rows, -(-width // 8)), dtype=np.uint8)
    if draw(st.booleans()):
        bits = bits[source.integers(0, min(rows, 5), size=rows)]
    return HammingTable(bits, dims=width)


@settings(deadline=None)
@given(tables(), st.data())
def test_every_level_finds_what_numpy_finds(native: ModuleType, table: HammingTable, data: st.DataObject) -> None:
    """One query or a batch, alone or on threads, with any filter: the same rows and the same scores."""
    question = data.draw(questions(table.rows, table.dims))
    for level in native.levels():
        kernel = native.Hamming(table.bits, width=table.dims, level=level)
        rows, scores = answer_of(kernel, question.queries, question)
        for query, found, values in zip(question.queries, rows, scores, strict=True):
            expected, exact = expected_of(table, query, question)
            assert np.array_equal(found, expected), level
            assert np.array_equal(values, exact), level
            alone = answer_of(kernel, query, question)
            assert np.array_equal(alone[0], expected), level
            assert np.array_equal(alone[1], exact), level


@pytest.mark.parametrize(("width", "rows"), [(256, 525_013)])
def test_several_streams_find_what_numpy_finds(native: ModuleType, width: int, rows: int) -> None:
    """A table that no cache holds is read as four streams, and of equal scores the smaller rows are found all the same."""
    source = np.random.default_rng(width)
    bits = source.integers(0, 256, size=(rows, width // 8), dtype=np.uint8)
    bits[source.integers(0, rows, size=rows // 1000)] = bits[0]
    table = HammingTable(bits, dims=width)
    for query in ((np.unpackbits(bits[0]) * 2.0 - 1).astype(np.float32), source.normal(size=width).astype(np.float32)):
        question = Question(query[None], None, 40, 1)
        found, scores = answer_of(native.Hamming(table.bits, width=width), query, question)
        expected, exact = expected_of(table, query, question)
        assert np.array_equal(found, expected)
        assert np.array_equal(scores, exact)


def test_the_score_is_the_inner_product_of_signs() -> None:
    """`top_k` gives the rows whose signs agree most with the query's, and how many more agree than differ."""
    source = np.random.default_rng(4)
    values = source.normal(size=(2000, 100)).astype(np.float32)
    query = source.normal(size=100).astype(np.float32)
    table = HammingTable(np.packbits(values > 0, axis=1), dims=100)
    rows, scores = top_k(table, query, 20)
    expected, products = best(np.arange(2000), (np.sign(values) @ np.sign(query)).astype(np.float32), 20)
    assert np.array_equal(rows, expected)
    assert np.array_equal(scores, products)
    assert table.kernel is not None
    assert np.array_equal(table.decode(rows), np.sign(values)[rows])


def test_what_is_no_query_and_no_table_is_refused(native: ModuleType) -> None:
    """NaN in a query, and widths that the bytes do not hold."""
    bits = np.zeros((4, 8), np.uint8)
    for width in (0, 56, 65):
        with pytest.raises(ValueError, match="expected"):
            native.Hamming(bits, width=width)
    for level in native.levels():
        with pytest.raises(ValueError, match="NaN or infinite"):
            answer_of(
                native.Hamming(bits, width=64, level=level),
                np.full(64, np.nan, np.float32),
                Question(np.ones((1, 64), np.float32), None, 1, 1),
            )
