"""Measure a ranker against its source, and judge it."""

from __future__ import annotations

__all__ = ["measure_ranker"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_converters import metrics
from edge_rec_converters.verification.gate import MOST_DRIFT
from edge_rec_converters.verification.record import RankerVerification
from edge_rec_runtime import silent
from edge_rec_runtime.errors import BackendError
from edge_rec_runtime.ranker import Ranker

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_converters.examples import Examples
    from edge_rec_converters.reference import RankerReference
    from edge_rec_runtime import Progress

_TOGETHER = 256
_ALONE = 32
_SAMPLES = 200


def measure_ranker(bundle: Path, reference: RankerReference, *, gate: float, progress: Progress = silent) -> RankerVerification:
    """Compare a bundle with its source.

    Args:
        bundle: The file.
        reference: The source's answers on held-out examples.
        gate: Most AUC that may be lost.
        progress: Told how many examples are done.

    Raises:
        BundleError: The bundle cannot be opened.
        BackendError: No engine runs it, or it gives NaN.
    """
    examples, wanted = reference.examples, reference.logits
    with Ranker.open(bundle) as opened:
        found = _logits(opened, examples, progress)
        alone = np.linspace(0, len(examples) - 1, min(_ALONE, len(examples))).astype(int)
        single = np.concatenate([opened.logits(examples.take(np.array([row])).inputs) for row in alone])
        backend = opened.backend
    if not np.isfinite(found).all() or not np.isfinite(single).all():
        raise BackendError(f"{bundle.name}: {backend} gives NaN for {int((~np.isfinite(found)).sum())} of {len(found)} examples")
    spread = float(wanted.std()) or 1.0
    errors = np.abs(found - wanted)
    drift = float(np.abs(found[alone] - single).max()) / spread
    constant = _is_constant(found) and not _is_constant(wanted)
    quality = _quality(examples, found, wanted)
    failures = _failures(quality["auc_delta"], gate=gate, drift=drift, constant=constant)
    return RankerVerification(
        examples=len(examples),
        gate=gate,
        passed=not failures,
        failures=failures,
        rank_correlation=_spearman(found, wanted),
        logit_error_mean=float(errors.mean()) / spread,
        logit_error_max=float(errors.max()),
        batch_drift=drift,
        constant=constant,
        backend=backend,
        **quality,
    )


def _logits(opened: Ranker, examples: Examples, progress: Progress) -> NDArray[np.float32]:
    logits = np.empty(len(examples), np.float32)
    for start in range(0, len(examples), _TOGETHER):
        part = slice(start, start + _TOGETHER)
        logits[part] = opened.logits({name: values[part] for name, values in examples.inputs.items()})
        progress(min(start + _TOGETHER, len(examples)), len(examples), "verify")
    return logits


def _quality(examples: Examples, found: NDArray[np.float32], wanted: NDArray[np.float32]) -> dict[str, Any]:
    names = ("auc", "auc_source", "auc_delta", "auc_delta_ci", "log_loss", "log_loss_source")
    labels = examples.labels
    if labels is None or labels.min() == labels.max():
        return dict.fromkeys(names)
    delta, low, high = metrics.auc_delta_interval(labels, found, wanted, groups=examples.users, samples=_SAMPLES)
    values = (
        metrics.auc(labels, found),
        metrics.auc(labels, wanted),
        delta,
        (low, high),
        metrics.log_loss(labels, found),
        metrics.log_loss(labels, wanted),
    )
    return dict(zip(names, values, strict=True))


def _failures(auc_delta: float | None, *, gate: float, drift: float, constant: bool) -> tuple[str, ...]:
    failures = []
    if auc_delta is not None and -auc_delta > gate:
        failures.append(
            f"the AUC falls by {-auc_delta:.5f} and at most {gate:.5f} is allowed "
            "(try a finer precision, more calibration examples, or keep sensitive layers in float; --gate sets another limit)"
        )
    if constant:
        failures.append("every example gets the same logit (the network broke in conversion; convert it with network=fp32)")
    if drift > MOST_DRIFT:
        failures.append(
            f"a logit moves by {drift:.3f} standard deviations with its batch and {MOST_DRIFT} is allowed "
            "(convert with another network precision)"
        )
    return tuple(failures)


def _spearman(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Return the correlation of the ranks, ties sharing the mean of theirs; 1 where one side has no order."""
    left, right = (_ranks(values) for values in (a, b))
    if not left.std() or not right.std():
        return 1.0
    return float(np.corrcoef(left, right)[0, 1])


def _ranks(values: NDArray[np.float32]) -> NDArray[np.float64]:
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[group], np.float64)


def _is_constant(logits: NDArray[np.float32]) -> bool:
    return len(logits) > 1 and float(np.ptp(logits)) <= 1e-6 * (float(np.abs(logits).max()) or 1.0)
