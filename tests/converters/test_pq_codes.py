"""Product codes are fitted to scores: better than codes that know nothing of queries, the same each time, a byte a piece."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_converters import convert
from edge_rec_converters.pq_codes import fit_pq
from edge_rec_converters.reference import Reference
from edge_rec_runtime import Fp32Table, PqTable, Precision, Recommender
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_converters import Prepared


def _error(table: PqTable, fit: Reference) -> float:
    """Return the root mean square error of scores over the calibration queries."""
    wanted = fit.queries @ fit.table.values.T
    return float(np.sqrt(np.mean((np.stack([table.scores(query) for query in fit.queries]) - wanted) ** 2)))


def _skewed(fit: Reference) -> Reference:
    """Return queries that lie near a plane, as those of trained encoders do."""
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(3, fit.table.dims))
    few = rng.normal(size=(200, 3)) @ plane + 0.05 * rng.normal(size=(200, fit.table.dims))
    return replace(fit, queries=few.astype(np.float32))


def test_codes_are_fitted_to_the_queries(prepared: Prepared) -> None:
    """Where queries fill few directions, scores are far nearer than with codes for queries of every direction."""
    fit = _skewed(prepared.fit)
    blind = replace(fit, queries=np.eye(fit.table.dims, dtype=np.float32))
    many = Fp32Table.encode(np.random.default_rng(1).normal(size=(2000, fit.table.dims)))  # more rows than pieces
    fit, blind = replace(fit, table=many), replace(blind, table=many)
    assert _error(fit_pq(fit), fit) < 0.7 * _error(fit_pq(blind), fit)


def test_more_bytes_lose_less(prepared: Prepared) -> None:
    """Each doubling of the pieces takes at least a seventh of the error away."""
    fit = replace(prepared.fit, table=Fp32Table.encode(np.random.default_rng(1).normal(size=(1000, 32))))
    errors = [_error(fit_pq(fit, pieces=pieces), fit) for pieces in (1, 2, 4, 8)]
    assert all(more < 0.85 * fewer for fewer, more in pairwise(errors))


@given(st.integers(1, 40), st.integers(1, 50), st.integers(1, 60), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_any_width_and_any_number_of_pieces(rows: int, dims: int, pieces: int, seed: int) -> None:
    """A catalogue of no more items than a codebook has pieces loses nothing but what float16 does, whatever its width."""
    rng = np.random.default_rng(seed)
    table = Fp32Table.encode(rng.normal(size=(rows, dims)), rng.normal(size=rows))
    found = fit_pq(_given(table, rng.normal(size=(7, dims))), pieces=pieces)
    assert (found.rows, found.dims, found.codes.dtype) == (rows, dims, np.uint8)
    np.testing.assert_allclose(found.decode(np.arange(rows)), table.values, rtol=2e-3, atol=2e-3)
    assert found.bias is not None
    assert np.array_equal(found.bias, table.bias)
    assert found.codes.shape[1] <= min(pieces, dims)


def _given(table: Fp32Table, queries: np.ndarray) -> Reference:
    return Reference(users=None, queries=queries.astype(np.float32), table=table)  # type: ignore[arg-type]  # only queries count


def test_an_item_costs_a_byte_for_sixteen_values(prepared: Prepared) -> None:
    """128 dims are 8 bytes an item; fitting twice gives the same bytes."""
    rng = np.random.default_rng(2)
    fit = _given(Fp32Table.encode(rng.normal(size=(700, 128))), rng.normal(size=(50, 128)))
    first, second = fit_pq(fit), fit_pq(fit)
    assert first.nbytes - first.codebooks.nbytes == 700 * 8
    assert first.codebooks.shape == (8, 256, 16)
    assert all(np.array_equal(part, second.parts()[name]) for name, part in first.parts().items())
    assert fit_pq(prepared.fit).codes.shape == (240, 2)


@pytest.mark.parametrize("asked", ["items=pq", "items=pq,rescore=int8"])
def test_a_bundle_of_product_codes_answers(prepared: Prepared, asked: str, tmp_path: Path) -> None:
    """A model converts to them, passes its gate and answers in every way an app asks."""
    made = convert(prepared, target="onnx", precision=Precision.parse(asked), output=tmp_path / "pq.edgerec")
    assert made.verification.overlap_at_10 > 0.9  # 240 items are fewer than a codebook has pieces
    with Recommender.open(made.path, verify="full") as opened:
        assert opened.bundle.manifest.layouts["items"] == "pq"
        answer = opened.recommend(["i1", "i2"], k=5)
        assert len(answer) == 5
        scores = opened.score(["i1", "i2"], [one.id for one in answer])
        np.testing.assert_array_equal(scores, [one.score for one in answer])
        assert "i3" not in opened.similar("i3", 4).ids


def test_rankers_have_none() -> None:
    """The message says what a graph's look-ups can be in."""
    with pytest.raises(ConversionError, match=r"not for a ranker.*use items=int4 or items=binary"):
        Precision.parse("items=pq").require("ranker")
