"""How good recommendations are, how alike two models are, and how sure one can be of either.

Of lists with one held-out target a user: arrays over users, so that two models can be compared user by user; the mean is left to
the caller. Of clicks: the area under the ROC curve and the log-loss. Intervals are bootstrap intervals.
"""

from __future__ import annotations

__all__ = [
    "auc",
    "auc_delta_interval",
    "bootstrap_interval",
    "hit_rate_at_k",
    "log_loss",
    "mrr_at_k",
    "ndcg_at_k",
    "overlap_at_k",
    "paired_ratio_interval",
]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_CHUNK = 64  # bootstrap samples drawn at a time: 64 x 6,040 users of int64 are 3 MB


def ndcg_at_k(ranks: ArrayLike, k: int = 10) -> NDArray[np.float64]:
    """Return 1 / log2(rank + 2) of each user's target, 0 from rank ``k`` on.

    With one target a user the ideal gain is 1, so this is NDCG itself.

    Args:
        ranks: [users] 0-based integer ranks.
        k: Length of the list.

    Returns:
        [users] float64.
    """
    where = np.asarray(ranks, dtype=np.int64)
    return np.where(where < k, 1.0 / np.log2(where + 2.0), 0.0)


def hit_rate_at_k(ranks: ArrayLike, k: int = 10) -> NDArray[np.float64]:
    """Return 1 for each user whose target ([users] 0-based ranks) is among the first ``k``, else 0."""
    return (np.asarray(ranks, dtype=np.int64) < k).astype(np.float64)


def mrr_at_k(ranks: ArrayLike, k: int = 10) -> NDArray[np.float64]:
    """Return 1 / (rank + 1) of each user's target ([users] 0-based ranks), 0 from rank ``k`` on."""
    where = np.asarray(ranks, dtype=np.int64)
    return np.where(where < k, 1.0 / (where + 1.0), 0.0)


def overlap_at_k(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Return the share of each user's list in ``a`` that is also in ``b``, in any order.

    Args:
        a: [users, k] item rows, each at most once a user; -1 fills a list that is shorter.
        b: [users, k] the same of the other model.

    Returns:
        [users] float64: common items / items in ``a``. Two empty lists agree: 1.

    Raises:
        ValueError: The shapes differ.
    """
    left, right = np.asarray(a), np.asarray(b)
    if left.ndim != 2 or left.shape != right.shape:
        raise ValueError(f"overlap_at_k needs two [users, k] arrays of one shape, got {left.shape} and {right.shape}")
    common = ((left[:, :, None] == right[:, None, :]) & (left[:, :, None] >= 0)).any(axis=2).sum(axis=1)
    size = (left >= 0).sum(axis=1)
    both_empty = (size == 0) & (right < 0).all(axis=1)
    return np.where(both_empty, 1.0, common / np.maximum(size, 1))


def bootstrap_interval(values: ArrayLike, *, samples: int = 1000, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean over users.

    Args:
        values: [users] one number a user, at least one user.
        samples: Resamples drawn, with replacement.
        level: Share of the resampled means inside the interval.
        seed: The same seed draws the same users.

    Returns:
        Lower and upper end.
    """
    means = _resampled_means(np.asarray(values, dtype=np.float64)[:, None], samples=samples, seed=seed)[:, 0]
    return _percentiles(means, level)


def paired_ratio_interval(
    a: ArrayLike, b: ArrayLike, *, samples: int = 1000, level: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Return mean(a) / mean(b) and its bootstrap interval, both means taken over the same resampled users.

    Args:
        a: [users] the metric of one model, for example the compressed one.
        b: [users] the same users' metric of the reference.
        samples: Resamples drawn, with replacement.
        level: Share of the resampled ratios inside the interval.
        seed: The same seed draws the same users.

    Returns:
        Ratio, lower and upper end; NaN where the reference's mean is 0.

    Raises:
        ValueError: The two arrays are not of the same users.
    """
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if left.shape != right.shape:
        raise ValueError(f"paired_ratio_interval needs the same users twice, got {left.shape} and {right.shape}")
    means = _resampled_means(np.stack([left, right], axis=1), samples=samples, seed=seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = means[:, 0] / means[:, 1]
        ratio = float(left.mean() / right.mean())
    defined = ratios[np.isfinite(ratios)]
    low, high = _percentiles(defined, level) if np.isfinite(ratio) and len(defined) else (float("nan"), float("nan"))
    return (ratio if np.isfinite(ratio) else float("nan")), low, high


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the chance that a chosen example scores above one that was not chosen, a tie counting half.

    Args:
        labels: [examples] 1 for chosen, 0 for not.
        scores: [examples] any monotone score, such as the logit.

    Returns:
        The area under the ROC curve; NaN where one of the two labels is missing.

    Raises:
        ValueError: The shapes differ, or a score is NaN.
    """
    chosen, values = _paired(labels, scores)
    return _Ordered.of(chosen, values, np.arange(len(values))).auc(np.ones(len(values)))


def log_loss(labels: ArrayLike, logits: ArrayLike) -> float:
    """Return the mean of -log(probability of what happened), in nats, exact for logits of any size.

    Args:
        labels: [examples] 1 for chosen, 0 for not.
        logits: [examples] log-odds of being chosen.

    Raises:
        ValueError: The shapes differ, or a logit is NaN.
    """
    chosen, values = _paired(labels, logits)
    return float(np.logaddexp(0.0, np.where(chosen, -values, values)).mean())


def auc_delta_interval(
    labels: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    samples: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Return auc(a) - auc(b) and its bootstrap interval, both taken over the same resampled examples.

    Args:
        labels: [examples] 1 for chosen, 0 for not.
        a: [examples] scores of one model, for example the converted one.
        b: [examples] scores of the reference.
        groups: [examples] integers, such as users; whole groups are drawn. Examples are drawn one by one unless given.
        samples: Resamples drawn, with replacement; those without both labels say nothing and are left out.
        level: Share of the resampled differences inside the interval.
        seed: The same seed draws the same examples.

    Returns:
        Difference, lower and upper end; NaN where one of the two labels is missing.
    """
    chosen, left = _paired(labels, a)
    _, right = _paired(labels, b)
    units = np.arange(len(chosen)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    count = int(units.max()) + 1
    sides = _Ordered.of(chosen, left, units), _Ordered.of(chosen, right, units)
    difference, rng, found = _difference(sides, np.ones(count)), np.random.default_rng(seed), np.empty(samples)
    for sample in range(samples):
        drawn = np.bincount(rng.integers(0, count, size=count), minlength=count).astype(np.float64)
        found[sample] = _difference(sides, drawn)
    defined = found[np.isfinite(found)]
    low, high = _percentiles(defined, level) if len(defined) else (float("nan"), float("nan"))
    return difference, low, high


@dataclass(frozen=True)
class _Ordered:
    """Examples in ascending order of their scores.

    Attributes:
        chosen: [examples] float64 labels.
        units: [examples] what each is drawn with: its group, or itself.
        starts: Where each run of equal scores begins, or None where no two are equal.
    """

    chosen: NDArray[np.float64]
    units: NDArray[np.intp]
    starts: NDArray[np.intp] | None

    @classmethod
    def of(cls, chosen: NDArray[np.bool_], scores: NDArray[np.float64], units: NDArray[np.intp]) -> _Ordered:
        """Sort examples."""
        order = np.argsort(scores, kind="stable")
        ordered = scores[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        return cls(chosen[order].astype(np.float64), units[order], None if len(starts) == len(order) else starts)

    def auc(self, weights: NDArray[np.float64]) -> float:
        """Return the AUC with a whole-number weight for each unit; the sums of such are exact. NaN without both labels."""
        drawn = weights[self.units]
        positives = drawn * self.chosen
        negatives = drawn - positives
        if self.starts is not None:
            positives, negatives = np.add.reduceat(positives, self.starts), np.add.reduceat(negatives, self.starts)
        pairs = float(positives.sum() * negatives.sum())
        below = np.cumsum(negatives) - negatives / 2
        return float(positives @ below) / pairs if pairs else float("nan")


def _difference(sides: tuple[_Ordered, _Ordered], weights: NDArray[np.float64]) -> float:
    return sides[0].auc(weights) - sides[1].auc(weights)


def _paired(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    chosen, values = np.asarray(labels) > 0, np.asarray(scores, np.float64)
    if chosen.ndim != 1 or chosen.shape != values.shape or not len(chosen):
        raise ValueError(f"labels and scores must be two [examples] arrays of one length, got {chosen.shape} and {values.shape}")
    if np.isnan(values).any():
        raise ValueError("a score is NaN; there is no order to measure")
    return chosen, values


def _resampled_means(values: NDArray[np.float64], *, samples: int, seed: int) -> NDArray[np.float64]:
    """Return [samples, columns] means over resampled rows of ``values`` [users, columns]."""
    users = len(values)
    if users == 0:
        raise ValueError("a bootstrap interval needs at least one user, got none")
    rng = np.random.default_rng(seed)
    chunks = (min(_CHUNK, samples - start) for start in range(0, samples, _CHUNK))
    return np.concatenate([values[rng.integers(0, users, size=(size, users))].mean(axis=1) for size in chunks])


def _percentiles(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
