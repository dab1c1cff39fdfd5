"""Measure a bundle against its source, and judge it."""

from __future__ import annotations

__all__ = ["measure"]

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters import metrics
from edge_rec_converters.verification._agreement import Agreement, compare
from edge_rec_converters.verification.gate import MOST_DRIFT
from edge_rec_converters.verification.record import Verification
from edge_rec_converters.windows import pad
from edge_rec_runtime import Recommender, silent

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from edge_rec_converters.reference import Reference
    from edge_rec_runtime import Progress

_IN_BATCH = 7
_BEYOND = 10  # rank of a target that is not among the ten


def measure(bundle: Path, reference: Reference, *, gate: float, progress: Progress = silent) -> Verification:
    """Compare a bundle with its source.

    Args:
        bundle: The file.
        reference: The source's answers on held-out histories.
        gate: Least overlap@10 that passes.
        progress: Told how many users are done.

    Raises:
        BundleError: The bundle cannot be opened.
        BackendError: No engine runs it, or it gives NaN.
    """
    with Recommender.open(bundle) as opened:
        agreement = compare(opened, reference, progress=progress)
        drift = _batch_drift(opened, reference, agreement.queries)
        zero_rows = _zero_rows(opened, reference)
        backend = opened.backend
    overlap = float(metrics.overlap_at_k(agreement.source_top, agreement.bundle_top).mean())
    constant = _is_constant(agreement.queries) and not _is_constant(reference.queries)
    failures = _failures(overlap=overlap, gate=gate, drift=drift, zero_rows=zero_rows, constant=constant)
    return Verification(
        users=len(reference.users),
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
        **_quality(agreement, reference.users.targets),
    )


def _failures(*, overlap: float, gate: float, drift: float, zero_rows: int, constant: bool) -> tuple[str, ...]:
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


def _batch_drift(opened: Recommender, reference: Reference, alone: NDArray[np.float32]) -> float:
    """Compare queries computed one by one with those of a batch padded beyond its longest history."""
    users = reference.users
    order = np.argsort(users.lengths(), kind="stable")
    tried = order[np.linspace(0, len(order) - 1, min(_IN_BATCH, len(order))).astype(int)]
    rows = [users[user] for user in tried]
    vectors = np.concatenate([opened.exact.decode(one) for one in rows])
    starts = np.cumsum([0, *(len(one) for one in rows)])
    local = [np.arange(start, stop) for start, stop in pairwise(starts)]
    length = min(max(len(one) for one in rows) + 3, users.max_length)
    together = opened.encode(*pad(local, vectors, length=length))
    spread = float(reference.queries.std()) or 1.0
    return float(np.abs(together - alone[tried]).max()) / spread


def _zero_rows(opened: Recommender, reference: Reference) -> int:
    """Count items that have a vector in the source and none in the bundle."""
    count, step = 0, 8192
    for role in opened.bundle.manifest.layouts:
        table = opened.bundle.table(role)
        for start in range(0, table.rows, step):
            rows = np.arange(start, min(start + step, table.rows))
            before = np.any(reference.table.values[rows] != 0, axis=1)
            count += int((before & ~np.any(table.decode(rows) != 0, axis=1)).sum())
    return count


def _is_constant(queries: NDArray[np.float32]) -> bool:
    return len(queries) > 1 and float(np.ptp(queries, axis=0).max()) <= 1e-6 * (float(np.abs(queries).max()) or 1.0)
