"""Metrics against values worked out by hand, and what the bootstrap promises."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec_converters import metrics
from edge_rec_converters.metrics import (
    auc,
    auc_delta_interval,
    bootstrap_interval,
    hit_rate_at_k,
    log_loss,
    mrr_at_k,
    ndcg_at_k,
    overlap_at_k,
    paired_ratio_interval,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


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


def _auc_by_pairs(labels: NDArray[np.float32], scores: NDArray[np.float64]) -> float:
    """The definition: over all pairs of a chosen and another example."""
    above = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=60))
def test_auc_is_that_of_all_pairs(rows: list[tuple[bool, int]]) -> None:
    """Equal to the definition over all pairs, whatever the ties; NaN where a label is missing."""
    labels, scores = np.array([row[0] for row in rows], np.float32), np.array([row[1] for row in rows], np.float64)
    if labels.min() == labels.max():
        assert np.isnan(auc(labels, scores))
    else:
        assert auc(labels, scores) == pytest.approx(_auc_by_pairs(labels, scores), abs=1e-12)


def test_log_loss_is_exact_for_large_logits() -> None:
    """The mean of -log p, without the overflow of exp."""
    labels, logits = np.array([1, 0, 1, 0]), np.array([2.0, -1.0, -800.0, 800.0])
    wanted = np.mean([np.log1p(np.exp(-2.0)), np.log1p(np.exp(-1.0)), 800.0, 800.0])
    assert log_loss(labels, logits) == pytest.approx(wanted)


def test_the_interval_of_an_auc_difference_is_paired() -> None:
    """Equal models have [0, 0]; a worse one lies below 0; resampled users keep their rows together."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 600)
    good, users = labels + rng.normal(size=600), np.repeat(np.arange(60), 10)
    assert auc_delta_interval(labels, good, good, groups=users) == (0.0, 0.0, 0.0)
    worse = good + rng.normal(size=600)
    for groups in (None, users):
        delta, low, high = auc_delta_interval(labels, worse, good, groups=groups, samples=200)
        assert delta == pytest.approx(_auc_by_pairs(labels, worse) - _auc_by_pairs(labels, good))
        assert low < delta < high < 0


def test_a_bootstrap_by_weights_is_a_bootstrap_by_rows() -> None:
    """A resample's weights give the AUC of its rows."""
    rng = np.random.default_rng(1)
    labels, scores = rng.integers(0, 2, 40), rng.integers(0, 9, 40).astype(np.float64)
    drawn = rng.integers(0, 40, size=40)
    weights = np.bincount(drawn, minlength=40).astype(np.float64)
    weighted = metrics._Ordered.of(labels > 0, scores, np.arange(40)).auc(weights)
    assert weighted == pytest.approx(_auc_by_pairs(labels[drawn], scores[drawn]))


@pytest.mark.parametrize("scores", [[1.0, float("nan")], [1.0], [[1.0], [2.0]]])
def test_scores_that_do_not_fit_their_labels_are_refused(scores: object) -> None:
    """NaN, another length, another shape."""
    for metric in (auc, log_loss):
        with pytest.raises(ValueError, match=r"NaN|one length"):
            metric([0, 1], scores)
