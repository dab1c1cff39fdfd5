"""What a comparison found."""

from __future__ import annotations

__all__ = ["Verification"]

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Verification:
    """How near a bundle is to its source, over held-out users with everything seen left out.

    Attributes:
        users: Users compared.
        gate: Least overlap@10 that passes.
        passed: Whether nothing failed.
        failures: What failed, a sentence each.
        overlap_at_10: Mean share of the source's ten best items that the bundle also has among its ten.
        overlap_tail_at_10: The same where only the less popular half of the catalogue may be recommended; None where the
            catalogue does not know popularity.
        rank_correlation: Mean Spearman correlation of both scores over the source's hundred best items.
        score_error_mean: Mean absolute difference of the scores, in standard deviations of a user's scores.
        score_error_max: Largest absolute difference, in the same unit.
        batch_drift: Largest change of a query when it is computed in a padded batch, in standard deviations of the queries.
        zero_rows: Items whose vector is not zero in the source and zero in the bundle.
        constant: Whether every user gets the same query, unlike in the source.
        ndcg_at_10: NDCG@10 of the bundle over users with a target; None where there is none, and so below.
        ndcg_at_10_ci: Its 95 % bootstrap interval.
        ndcg_at_10_source: NDCG@10 of the source for the same users.
        ndcg_kept: Ratio of the two.
        ndcg_kept_ci: Its 95 % paired bootstrap interval.
        hr_at_10: Hit rate of the bundle.
        mrr_at_10: Mean reciprocal rank of the bundle.
        backend: The engine that ran the bundle.
    """

    users: int
    gate: float
    passed: bool
    failures: tuple[str, ...]
    overlap_at_10: float
    overlap_tail_at_10: float | None
    rank_correlation: float
    score_error_mean: float
    score_error_max: float
    batch_drift: float
    zero_rows: int
    constant: bool
    ndcg_at_10: float | None
    ndcg_at_10_ci: tuple[float, float] | None
    ndcg_at_10_source: float | None
    ndcg_kept: float | None
    ndcg_kept_ci: tuple[float, float] | None
    hr_at_10: float | None
    mrr_at_10: float | None
    backend: str

    def metrics(self) -> dict[str, Any]:
        """Return the quality figures, as a manifest's ``metrics``."""
        names = ("users", "ndcg_at_10", "ndcg_at_10_ci", "hr_at_10", "mrr_at_10", "overlap_at_10", "ndcg_kept", "ndcg_kept_ci")
        return {name: _plain(getattr(self, name)) for name in names}

    def verdict(self) -> dict[str, Any]:
        """Return everything, as a manifest's ``verification``."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def _plain(value: object) -> object:
    """Round to what the figures are worth; tuples become lists."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value
