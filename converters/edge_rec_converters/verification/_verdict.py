"""From the agreement on every user to the verdict: means, intervals, and a sentence for whatever fails."""

from __future__ import annotations

__all__ = ["verdict"]

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_converters import metrics
from edge_rec_converters.verification.gate import MOST_DRIFT
from edge_rec_converters.verification.record import RetrieverVerification

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec_converters.verification._agreement import Agreement
    from edge_rec_converters.verification.graph_record import GraphVerification
    from edge_rec_converters.windows import Windows

_BEYOND = 10  # rank of a target that is not among the ten


def verdict(
    agreement: Agreement,
    users: Windows,
    *,
    gate: float,
    backend: str,
    zero_rows: int,
    drift: float = 0.0,
    constant: bool = False,
    steps_drift: float | None = None,
    retriever: Mapping[str, GraphVerification] = MappingProxyType({}),
) -> RetrieverVerification:
    """Judge a bundle; see `RetrieverVerification` for the figures."""
    overlap = float(metrics.overlap_at_k(agreement.source_top, agreement.bundle_top).mean())
    failures = _failures(overlap=overlap, gate=gate, drift=drift, zero_rows=zero_rows, constant=constant, steps_drift=steps_drift)
    failures += tuple(failure for graph in retriever.values() for failure in graph.failures)
    return RetrieverVerification(
        users=len(users),
        gate=gate,
        passed=not failures,
        failures=failures,
        overlap_at_10=overlap,
        overlap_tail_at_10=_tail_overlap(agreement),
        rank_correlation=float(agreement.correlation.mean()),
        score_error_mean=float(agreement.error_mean.mean()),
        score_error_max=float(agreement.error_max.max()),
        batch_drift=drift,
        zero_rows=zero_rows,
        constant=constant,
        backend=backend,
        steps_drift=steps_drift,
        retriever=dict(retriever),
        **_quality(agreement, users.targets),
    )


def _failures(
    *, overlap: float, gate: float, drift: float, zero_rows: int, constant: bool, steps_drift: float | None
) -> tuple[str, ...]:
    failures = []
    if overlap < gate:
        failures.append(
            f"overlap@10 with the source is {overlap:.3f} and {gate:.3f} is required "
            "(try a finer precision, more calibration histories, or keep sensitive layers in float; --gate sets another limit)"
        )
    if zero_rows:
        failures.append(f"{zero_rows} items became all zero and could never be recommended (scale their vectors up)")
    if constant:
        failures.append("every history gets the same query (the encoder broke in conversion; convert it with network=fp32)")
    if drift > MOST_DRIFT:
        failures.append(
            f"a query moves by {drift:.3f} standard deviations with its batch and {MOST_DRIFT} is allowed "
            "(convert with another network precision)"
        )
    if steps_drift is not None and not steps_drift <= MOST_DRIFT:
        failures.append(
            f"a query moves by {steps_drift:.3f} standard deviations when it is reached event by event and {MOST_DRIFT} is "
            "allowed (make the encoder's step compute what its forward does, or convert without --incremental)"
        )
    return tuple(failures)


def _quality(agreement: Agreement, targets: NDArray[np.int64]) -> dict[str, Any]:
    """Return NDCG, hit rate and MRR over the users with a target, and how much of NDCG is kept."""
    judged = np.flatnonzero(targets >= 0)
    names = ("ndcg_at_10", "ndcg_at_10_ci", "ndcg_at_10_source", "ndcg_kept", "ndcg_kept_ci", "hr_at_10", "mrr_at_10")
    if not len(judged):
        return dict.fromkeys(names)
    ranks = _ranks(agreement.bundle_top[judged], targets[judged])
    ndcg = metrics.ndcg_at_k(ranks)
    ndcg_source = metrics.ndcg_at_k(_ranks(agreement.source_top[judged], targets[judged]))
    kept, low, high = metrics.paired_ratio_interval(ndcg, ndcg_source)
    defined = bool(np.isfinite([kept, low, high]).all())
    values = (
        float(ndcg.mean()),
        metrics.bootstrap_interval(ndcg),
        float(ndcg_source.mean()),
        kept if defined else None,
        (low, high) if defined else None,
        float(metrics.hit_rate_at_k(ranks).mean()),
        float(metrics.mrr_at_k(ranks).mean()),
    )
    return dict(zip(names, values, strict=True))


def _ranks(top: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place [users] of each target in its list, 10 where it is not in it."""
    hits = top == targets[:, None]
    return np.where(hits.any(axis=1), hits.argmax(axis=1), _BEYOND)


def _tail_overlap(agreement: Agreement) -> float | None:
    if agreement.source_tail is None or agreement.bundle_tail is None:
        return None
    return float(metrics.overlap_at_k(agreement.source_tail, agreement.bundle_tail).mean())
