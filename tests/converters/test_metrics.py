"""Ranking metrics against values worked out by hand, and what the bootstrap promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec_converters.metrics import (
    bootstrap_interval,
    hit_rate_at_k,
    mrr_at_k,
    ndcg_at_k,
    overlap_at_k,
    paired_ratio_interval,
)


def test_metrics_of_known_ranks() -> None:
    """Rank 0 scores 1, rank 1 scores 1/log2(3) and 1/2, the last of the list still counts, the next one does not."""
    ranks = [0, 1, 9, 10, 3_000_000_000]
    np.testing.assert_allclose(ndcg_at_k(ranks), [1, 1 / math.log2(3), 1 / math.log2(11), 0, 0])
    np.testing.assert_allclose(hit_rate_at_k(ranks), [1, 1, 1, 0, 0])
    np.testing.assert_allclose(mrr_at_k(ranks), [1, 1 / 2, 1 / 10, 0, 0])


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(1, 20))
def test_metrics_are_ordered(ranks: list[int], k: int) -> None:
    """MRR <= NDCG <= hit rate <= 1 for every user and k, since 1/r <= 1/log2(1 + r) <= 1."""
    mrr, ndcg, hits = mrr_at_k(ranks, k), ndcg_at_k(ranks, k), hit_rate_at_k(ranks, k)
    assert np.all(mrr <= ndcg + 1e-12)
    assert np.all(ndcg <= hits + 1e-12)


def test_overlap_ignores_order_and_padding() -> None:
    """Order does not matter, -1 is nobody's item, a short list is judged by its own length."""
    a = np.array([[1, 2, 3], [1, 2, -1], [-1, -1, -1], [-1, -1, -1], [4, 5, 6]])
    b = np.array([[3, 1, 9], [2, -1, -1], [-1, -1, -1], [7, -1, -1], [1, 2, 3]])
    np.testing.assert_allclose(overlap_at_k(a, b), [2 / 3, 1 / 2, 1, 0, 0])


def test_overlap_refuses_lists_of_different_length() -> None:
    """Two lists of different length are no comparison at k."""
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(2, 4\)"):
        overlap_at_k(np.zeros((2, 3)), np.zeros((2, 4)))


def test_interval_holds_the_mean_and_repeats() -> None:
    """The interval brackets the mean, is as wide as the normal approximation says, and depends on the seed alone."""
    values = np.random.default_rng(1).random(2000)
    low, high = bootstrap_interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / math.sqrt(2000), rel=0.1)
    assert (low, high) == bootstrap_interval(values)
    assert (low, high) != bootstrap_interval(values, seed=1)


def test_a_constant_has_no_spread() -> None:
    """All users alike: the interval is the value."""
    assert bootstrap_interval(np.full(30, 0.25), samples=70) == (0.25, 0.25)


def test_no_users_is_an_error() -> None:
    """There is no mean of nothing."""
    with pytest.raises(ValueError, match="at least one user"):
        bootstrap_interval([])


def test_the_ratio_is_paired() -> None:
    """A model that keeps exactly 90 % of each user's score has the ratio .9 in every resample."""
    reference = np.random.default_rng(0).random(500)
    np.testing.assert_allclose(paired_ratio_interval(0.9 * reference, reference), [0.9, 0.9, 0.9])


def test_a_ratio_to_zero_is_not_a_number() -> None:
    """Nothing to keep: the ratio is NaN, not a division error."""
    assert all(math.isnan(value) for value in paired_ratio_interval(np.ones(5), np.zeros(5)))


def test_a_ratio_needs_the_same_users() -> None:
    """Arrays of different users cannot be paired."""
    with pytest.raises(ValueError, match="same users"):
        paired_ratio_interval(np.ones(5), np.ones(6))
