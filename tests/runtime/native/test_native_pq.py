"""Layout pq in C: the rows and scores of the numpy reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from asking import answer_of, expected_of, questions
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_runtime import PqTable

if TYPE_CHECKING:
    from types import ModuleType


@st.composite
def tables(draw: st.DrawFn) -> PqTable:
    """Draw tables of few and many pieces, narrow and wide ones, a last piece that is not full, few codes a book or all 256."""
    rows = draw(st.integers(1, 1500))
    width = draw(st.one_of(st.integers(1, 20), st.sampled_from([64, 127, 128, 129, 300])))
    count = draw(st.one_of(st.sampled_from([1, 8, 16, 32]), st.integers(1, 12)))
    dims = count * width - draw(st.integers(0, width - 1))
    pieces = draw(st.sampled_from([1, 2, 17, 255, 256]))
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    books = source.normal(size=(count, pieces, width)).astype(draw(st.sampled_from([np.float16, np.float32])))
    bias = source.normal(size=rows).astype(draw(st.sampled_from([np.float16, np.float32]))) if draw(st.booleans()) else None
    return PqTable(source.integers(0, pieces, size=(rows, count)).astype(np.uint8), books, bias, dims=dims)


@settings(deadline=None)
@given(tables(), st.data())
def test_the_kernel_finds_what_numpy_finds(native: ModuleType, table: PqTable, data: st.DataObject) -> None:
    """One query or a batch, alone or on threads, with any filter: the same rows and the same scores to the bit."""
    question = data.draw(questions(table.rows, table.dims))
    kernel = native.Pq(table.codes, table.codebooks, table.bias, dims=table.dims)
    rows, scores = answer_of(kernel, question.queries, question)
    for query, found, values in zip(question.queries, rows, scores, strict=True):
        expected, exact = expected_of(table, query, question)
        assert np.array_equal(found, expected)
        assert np.array_equal(values, exact)


def test_codes_without_a_piece_and_books_that_do_not_fit_are_refused(native: ModuleType) -> None:
    """A code past the books, books for another width, NaN in a book, and scores that might leave float32."""
    codes, books = np.full((3, 2), 4, np.uint8), np.ones((2, 4, 8), np.float32)
    with pytest.raises(ValueError, match="codes go up to 4"):
        native.Pq(codes, books, dims=16)
    codes[:] = 3
    for dims in (8, 17, 0):
        with pytest.raises(ValueError, match="expected"):
            native.Pq(codes, books, dims=dims)
    with pytest.raises(ValueError, match="length 2 on axis 0"):
        native.Pq(np.zeros((3, 3), np.uint8), books, dims=16)
    kernel = native.Pq(codes, books * np.float32(1e30), dims=16)
    with pytest.raises(OverflowError, match="leave float32"):
        kernel.top_k(np.full(16, 1e9, np.float32), 1, np.empty(1, np.int64), np.empty(1, np.float32))
    with pytest.raises(ValueError, match="NaN or infinite"):
        kernel.top_k(np.full(16, np.nan, np.float32), 1, np.empty(1, np.int64), np.empty(1, np.float32))
    books[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match="codebooks holds NaN"):
        native.Pq(codes, books, dims=16)
