"""Layout binary in C: at every level of this CPU the rows and scores of the numpy reference, to the bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from asking import Question, answer_of, expected_of, questions
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_runtime import BinaryTable
from edge_rec_runtime.search import best, top_k

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

WIDTHS = [1, 3, 8, 31, 32, 40, 63, 64, 65, 96, 100, 128, 129, 192, 250, 256, 300]


@st.composite
def tables(draw: st.DrawFn) -> BinaryTable:
    """Draw tables of odd lengths and widths, with ties, with and without scales (some below 0) and bias."""
    rows = draw(st.one_of(st.integers(1, 200), st.integers(1, 3000)))
    width = draw(st.one_of(st.sampled_from(WIDTHS), st.integers(1, 300)))
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    signs = source.random((rows, width)) < 0.5
    if draw(st.booleans()):
        signs[source.random(rows) < 0.7] = signs[0]
    kinds: list[NDArray[Any] | None] = [
        None,
        source.choice([0, 6e-8, 1e-3, 0.5, 1.0, 30.0], size=rows),
        source.normal(size=rows),
        source.uniform(0.7, 0.9, size=rows),
        np.exp(source.normal(scale=4, size=rows)).clip(0, 6e4),
    ]
    bias = source.normal(size=rows) * draw(st.sampled_from([0.01, 10])) if draw(st.booleans()) else None
    return BinaryTable.pack(signs, draw(st.sampled_from(kinds)), bias)


@settings(deadline=None)
@given(tables(), st.data())
def test_every_level_finds_what_numpy_finds(native: ModuleType, table: BinaryTable, data: st.DataObject) -> None:
    """One query or a batch, alone or on threads, with any filter: the same rows and the same scores to the bit."""
    question = data.draw(questions(table.rows, table.dims))
    for level in native.levels():
        kernel = native.Signs(table.bits, table.scales, table.bias, width=table.width, level=level)
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
    table = BinaryTable(bits, source.choice([0.5, 1.0], size=rows).astype(np.float16), dims=width)
    for query in ((np.unpackbits(bits[0]) * 2.0 - 1).astype(np.float32), source.normal(size=width).astype(np.float32)):
        question = Question(query[None], None, 40, 1)
        rows_found, scores = answer_of(native.Signs(table.bits, table.scales, width=width), query, question)
        expected, exact = expected_of(table, query, question)
        assert np.array_equal(rows_found, expected)
        assert np.array_equal(scores, exact)


def test_codes_too_large_for_a_byte_are_exact_all_the_same(native: ModuleType) -> None:
    """Queries of one magnitude, whose groups of four add up to 508, and of groups just below and above 255, keep every score."""
    source = np.random.default_rng(1)
    signs = source.random((4000, 64)) < 0.5
    table = BinaryTable.pack(signs)
    for peak in (63, 64, 127):
        query = (source.choice([-1.0, 1.0], size=64) * peak).astype(np.float32)
        query[0] = 127
        for level in native.levels():
            kernel = native.Signs(table.bits, width=64, level=level)
            question = Question(query[None], None, 30, 1)
            rows, scores = answer_of(kernel, query, question)
            expected, exact = expected_of(table, query, question)
            assert np.array_equal(rows, expected)
            assert np.array_equal(scores, exact)


def test_bits_past_the_width_count_for_nothing(native: ModuleType) -> None:
    """What a writer left in the last byte of a row changes no score."""
    source = np.random.default_rng(2)
    bits = source.integers(0, 256, size=(500, 13), dtype=np.uint8)
    table = BinaryTable(bits, dims=100)
    question = Question(source.normal(size=(1, 100)).astype(np.float32), None, 20, 1)
    for level in native.levels():
        rows, scores = answer_of(native.Signs(bits, width=100, level=level), question.queries[0], question)
        expected, exact = expected_of(table, question.queries[0], question)
        assert np.array_equal(rows, expected)
        assert np.array_equal(scores, exact)


def test_a_projected_table_is_searched_by_the_kernel() -> None:
    """The query is projected as the reference does it, and nothing else is: rows and scores are the reference's to the bit."""
    source = np.random.default_rng(3)
    projection = source.normal(size=(96, 64)).astype(np.float32)
    table = BinaryTable.pack(source.random((3000, 96)) < 0.5, source.random(3000), source.normal(size=3000), projection)
    query = source.normal(size=64).astype(np.float32)
    rows, scores = top_k(table, query, 25)
    expected, exact = best(np.arange(3000), table.scores(query), 25)
    assert np.array_equal(rows, expected)
    assert np.array_equal(scores, exact)
    assert table.kernel is not None
    batch = Question(source.normal(size=(3, 64)).astype(np.float32), None, 7, 1)
    found, _ = answer_of(table.kernel, batch.queries, batch)
    assert all(np.array_equal(top_k(table, one, 7)[0], row) for one, row in zip(batch.queries, found, strict=True))


def test_what_is_no_table_of_signs_is_refused(native: ModuleType) -> None:
    """Widths that the bytes do not hold, and columns that do not fit, are named."""
    bits = np.zeros((4, 8), np.uint8)
    for width in (0, -1, 56, 65, 2**40):
        with pytest.raises(ValueError, match="expected"):
            native.Signs(bits, width=width)
    with pytest.raises(ValueError, match="scales has length 3"):
        native.Signs(bits, np.ones(3, np.float16), width=64)
    with pytest.raises(ValueError, match="bias holds NaN"):
        native.Signs(bits, None, np.full(4, np.nan, np.float16), width=64)
    with pytest.raises(TypeError, match="bits has format"):
        native.Signs(bits.view(np.int8), width=64)
