"""Layout int4 in C: at every level of this CPU the rows and scores of the numpy reference, to the bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from asking import answer_of, expected_of, questions
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_runtime import Int4Table
from edge_rec_runtime.codes.int4 import pack_nibbles

if TYPE_CHECKING:
    from types import ModuleType


@st.composite
def tables(draw: st.DrawFn) -> Int4Table:
    """Draw tables of odd lengths and widths, with ties, codes down to -8, both kinds of scales."""
    rows = draw(st.one_of(st.integers(1, 200), st.integers(1, 2000)))
    dims = draw(st.one_of(st.sampled_from([1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 192, 256]), st.integers(1, 300)))
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = source.integers(-8, 8, size=(rows, dims)).astype(np.int8)
    if draw(st.booleans()):
        codes[source.random(rows) < 0.5] = source.choice(np.array([-8, 7], np.int8))
    scales = source.choice([0, -0.3, 6e-8, 1e-3, 0.5, 30.0], size=rows).astype(draw(st.sampled_from([np.float16, np.float32])))
    bias = source.normal(size=rows).astype(draw(st.sampled_from([np.float16, np.float32]))) if draw(st.booleans()) else None
    return Int4Table(pack_nibbles(codes), scales, bias, dims=dims)


@settings(deadline=None)
@given(tables(), st.data())
def test_every_level_finds_what_numpy_finds(native: ModuleType, table: Int4Table, data: st.DataObject) -> None:
    """One query or a batch, alone or on threads, with any filter: the same rows and the same scores to the bit."""
    question = data.draw(questions(table.rows, table.dims))
    for level in native.levels():
        kernel = native.Int4(table.codes, table.scales, table.bias, dims=table.dims, level=level)
        rows, scores = answer_of(kernel, question.queries, question)
        for query, found, values in zip(question.queries, rows, scores, strict=True):
            expected, exact = expected_of(table, query, question)
            assert np.array_equal(found, expected), level
            assert np.array_equal(values, exact), level


def test_what_an_odd_width_leaves_of_a_byte_counts_for_nothing(native: ModuleType) -> None:
    """The upper half of a row's last byte is no code where the width is odd."""
    source = np.random.default_rng(5)
    codes = source.integers(0, 256, size=(300, 17), dtype=np.uint8)
    table = Int4Table(codes, np.ones(300, np.float16), dims=33)
    query = source.normal(size=33).astype(np.float32)
    for level in native.levels():
        rows, scores = np.empty(300, np.int64), np.empty(300, np.float32)
        assert native.Int4(codes, table.scales, dims=33, level=level).top_k(query, 300, rows, scores) == 300
        assert np.array_equal(scores, table.scores(query)[rows])


def test_what_is_no_table_is_refused(native: ModuleType) -> None:
    """Widths that the bytes do not hold, and a table without scales."""
    codes = np.zeros((4, 8), np.uint8)
    for dims in (0, -1, 14, 17):
        with pytest.raises(ValueError, match="expected"):
            native.Int4(codes, np.ones(4, np.float16), dims=dims)
    with pytest.raises(TypeError, match="scales is None"):
        native.Int4(codes, None, dims=16)
