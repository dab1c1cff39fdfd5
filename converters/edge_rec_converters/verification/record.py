"""What a comparison found."""

from __future__ import annotations

__all__ = ["RankerVerification", "RetrieverVerification", "Verification"]

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_rec_converters.verification.graph_record import GraphVerification


class Verification(Protocol):
    """How near a bundle is to its source, whatever its kind."""

    @property
    def gate(self) -> float:
        """The limit that was asked for, in the kind's own measure."""

    @property
    def passed(self) -> bool:
        """Whether nothing failed."""

    @property
    def failures(self) -> tuple[str, ...]:
        """What failed, a sentence each."""

    @property
    def backend(self) -> str:
        """The engine that ran the bundle."""

    @property
    def closeness(self) -> float:
        """What the better of two networks is chosen by: 1 for the source itself, less the further from it."""

    def summary(self) -> dict[str, Any]:
        """Return the few figures that a table shows people, by the titles of its columns."""

    def metrics(self) -> dict[str, Any]:
        """Return the quality figures, as a manifest's ``metrics``."""

    def verdict(self) -> dict[str, Any]:
        """Return everything, as a manifest's ``verification``."""


@dataclass(frozen=True, kw_only=True)
class RetrieverVerification:
    """How near a retriever or a table of neighbours is to its source, over held-out users with everything seen left out.

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
        steps_drift: Largest difference of a query that was reached event by event, in standard deviations of the queries; None
            where the bundle has no graph for it.
        retriever: What the retriever graph of each target answers; empty where the bundle has none.
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
    steps_drift: float | None = None
    retriever: Mapping[str, GraphVerification] = field(default_factory=dict)

    @property
    def closeness(self) -> float:
        """See `Verification`."""
        return self.overlap_at_10

    def summary(self) -> dict[str, Any]:
        """See `Verification`."""
        return {
            "overlap@10": round(self.overlap_at_10, 4),
            "NDCG@10": None if self.ndcg_at_10 is None else round(self.ndcg_at_10, 4),
            "95% of NDCG@10": _interval(self.ndcg_at_10_ci),
            "verdict": f"{'passed' if self.passed else 'failed'}, {self.users:,} users",
        }

    def metrics(self) -> dict[str, Any]:
        """See `Verification`."""
        names = ("users", "ndcg_at_10", "ndcg_at_10_ci", "hr_at_10", "mrr_at_10", "overlap_at_10", "ndcg_kept", "ndcg_kept_ci")
        return {name: _plain(getattr(self, name)) for name in names}

    def verdict(self) -> dict[str, Any]:
        """See `Verification`."""
        found = {name: _plain(value) for name, value in asdict(self).items()}
        absent = {"steps_drift": self.steps_drift is None, "retriever": not self.retriever}
        return {name: one for name, one in found.items() if not absent.get(name)}


@dataclass(frozen=True, kw_only=True)
class RankerVerification:
    """How near a ranker is to its source, over held-out examples.

    Attributes:
        examples: Examples compared.
        gate: Most AUC that may be lost.
        passed: Whether nothing failed.
        failures: What failed, a sentence each.
        auc: Area under the ROC curve of the bundle; None where the examples have no labels, and so below.
        auc_source: The same of the source.
        auc_delta: Their difference, below 0 where the bundle is worse.
        auc_delta_ci: Its 95 % bootstrap interval, paired, over users where the examples name them.
        log_loss: Mean log-loss of the bundle, in nats.
        log_loss_source: The same of the source.
        rank_correlation: Spearman correlation of both logits.
        logit_error_mean: Mean absolute difference of the logits, in standard deviations of the source's.
        logit_error_max: Largest absolute difference of a logit, as it is.
        batch_drift: Largest change of a logit when it is computed in a batch, in standard deviations of the source's.
        constant: Whether every example gets the same logit, unlike in the source.
        backend: The engine that ran the bundle.
    """

    examples: int
    gate: float
    passed: bool
    failures: tuple[str, ...]
    auc: float | None
    auc_source: float | None
    auc_delta: float | None
    auc_delta_ci: tuple[float, float] | None
    log_loss: float | None
    log_loss_source: float | None
    rank_correlation: float
    logit_error_mean: float
    logit_error_max: float
    batch_drift: float
    constant: bool
    backend: str

    @property
    def closeness(self) -> float:
        """See `Verification`; the order that is kept, since a logit that moves and changes no place costs nothing."""
        return self.rank_correlation

    def summary(self) -> dict[str, Any]:
        """See `Verification`."""
        return {
            "AUC": None if self.auc is None else round(self.auc, 4),
            "AUC delta": None if self.auc_delta is None else round(self.auc_delta, 5),
            "95% of delta": _interval(self.auc_delta_ci, digits=5),
            "log-loss": None if self.log_loss is None else round(self.log_loss, 4),
            "verdict": f"{'passed' if self.passed else 'failed'}, {self.examples:,} examples",
        }

    def metrics(self) -> dict[str, Any]:
        """See `Verification`."""
        return {name: _plain(getattr(self, name)) for name in ("examples", "auc", "auc_delta", "auc_delta_ci", "log_loss")}

    def verdict(self) -> dict[str, Any]:
        """See `Verification`."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def _interval(ends: tuple[float, float] | None, digits: int = 4) -> str | None:
    return None if ends is None else f"{ends[0]:.{digits}f} - {ends[1]:.{digits}f}"


def _plain(value: object) -> object:
    """Round to what the figures are worth; tuples become lists."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return value
