"""Two tables asked in one call: what the scan of one and the scores of the other give in two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_runtime import BinaryTable, Fp16Table, Fp32Table, HammingTable, Int8Table
from edge_rec_runtime.search import CANDIDATE_FLOOR, CANDIDATES_PER_RESULT, best, search, top_k

if TYPE_CHECKING:
    from types import ModuleType

    from edge_rec_runtime import ItemTable


@settings(deadline=None)
@given(
    st.sampled_from(["int8", "fp32", "fp16"]),
    st.sampled_from(["signs", "projected", "hamming"]),
    st.integers(1, 900),
    st.integers(1, 30),
    st.sampled_from([None, 0.0, 0.02, 0.5]),
    st.integers(0, 2**32),
)
def test_both_stages_in_one_call_find_what_two_calls_find(  # noqa: PLR0917
    exact_layout: str, layout: str, rows: int, k: int, share: float | None, seed: int
) -> None:
    """The candidates are the first table's best, the answer the best of them by the second's scores, ties in row order."""
    source = np.random.default_rng(seed)
    values = np.round(source.normal(size=(rows, 24)), 1).astype(np.float32)
    projection = source.normal(size=(40, 24)).astype(np.float32)
    cheap: ItemTable = {
        "signs": BinaryTable.pack(values > 0, np.abs(values[:, 0])),
        "projected": BinaryTable.pack(values @ projection.T > 0, None, values[:, 0], projection),
        "hamming": HammingTable(np.packbits(values > 0, axis=1), dims=24),
    }[layout]
    exact: ItemTable = {"int8": Int8Table, "fp32": Fp32Table, "fp16": Fp16Table}[exact_layout].encode(values)
    query = source.normal(size=24).astype(np.float32)
    allowed = None if share is None else source.random(rows) < share
    assert hasattr(cheap.kernel, "rescored")
    found, scores = search(cheap, query, k, rescore=exact, allowed=allowed)
    candidates, _ = top_k(cheap, query, max(CANDIDATES_PER_RESULT * k, CANDIDATE_FLOOR), allowed=allowed)
    candidates.sort()
    again = top_k(exact.take(candidates), query, k) if len(candidates) else best(candidates, np.empty(0, np.float32), k)
    assert np.array_equal(found, candidates[again[0]])
    assert np.array_equal(scores, again[1])


def test_a_second_table_that_does_not_fit_is_refused(native: ModuleType) -> None:
    """Another number of rows, a table that scores no single rows, and what is no table at all."""
    signs = native.Signs(np.zeros((4, 1), np.uint8), width=8)
    query, rows, scores = np.ones(8, np.float32), np.empty(2, np.int64), np.empty(2, np.float32)
    with pytest.raises(ValueError, match="exact has 3 rows"):
        signs.rescored(native.Fp32(np.ones((3, 8), np.float32)), query, query, 4, 2, rows, scores)
    for other in (signs, object(), 3):
        with pytest.raises(TypeError, match="exact is"):
            signs.rescored(other, query, query, 4, 2, rows, scores)
    exact = native.Fp32(np.ones((4, 8), np.float32))
    for candidates, k in ((1, 2), (0, 0), (2**40, 2)):
        with pytest.raises(ValueError, match="candidates"):
            signs.rescored(exact, query, query, candidates, k, rows, scores)
    with pytest.raises(ValueError, match="NaN or infinite"):
        signs.rescored(exact, query, query * np.float32("nan"), 4, 2, rows, scores)
    assert signs.rescored(exact, query, query, 4, 2, rows, scores) == 2
    assert rows.tolist() == [0, 1]
