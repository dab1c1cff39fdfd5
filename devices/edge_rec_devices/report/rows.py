"""One flat row a bundle: what a program, a table or a spreadsheet wants of a measurement."""

from __future__ import annotations

__all__ = ["COLUMNS", "rows"]


from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_devices.result import Measurement

COLUMNS = (
    "bundle",
    "target",
    "precision",
    "bytes",
    "model_bytes",
    "ndcg_at_10",
    "ndcg_at_10_ci",
    "overlap_at_10",
    "request_p50_ms",
    "request_p99_ms",
    "cold_start_ms",
    "peak_rss_mb",
    "kind",
    "auc",
    "log_loss",
)


def rows(results: Sequence[Measurement]) -> list[dict[str, object]]:
    """Return one JSON-ready mapping a result, with the keys of `COLUMNS`; MB are 10^6 bytes, what is not known is None."""
    return [_row(result) for result in results]


def _row(result: Measurement) -> dict[str, object]:
    subject, quality, peak = result.subject, result.subject.quality, result.memory.peak_rss_bytes
    return {
        "bundle": subject.file,
        "target": subject.target,
        "precision": subject.precision,
        "bytes": subject.bytes,
        "model_bytes": subject.model_bytes,
        "ndcg_at_10": quality.ndcg_at_10,
        "ndcg_at_10_ci": None if quality.ndcg_at_10_ci is None else list(quality.ndcg_at_10_ci),
        "overlap_at_10": quality.overlap_at_10,
        "request_p50_ms": result.request.p50_ms,
        "request_p99_ms": result.request.p99_ms,
        "cold_start_ms": result.cold_start.median_ms,
        "peak_rss_mb": None if peak is None else round(peak / 1e6, 1),
        "kind": subject.kind,
        "auc": quality.auc,
        "log_loss": quality.log_loss,
    }
