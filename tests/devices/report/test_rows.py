"""Rows for programs: exactly the agreed keys, nothing invented, files whole."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge_rec_devices import Measurement, rows, write_report
from edge_rec_devices.report import COLUMNS
from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_row_holds_what_was_agreed(make: Callable[..., Measurement]) -> None:
    """Keys, order and units are those that readers of report.json rely on."""
    (row,) = rows([make(precision="int8", target="tflite", size=400_000)])
    assert tuple(row) == COLUMNS
    assert row["bundle"] == "sasrec-tflite-int8.edgerec"
    assert (row["target"], row["precision"], row["bytes"], row["model_bytes"]) == ("tflite", "int8", 440_000, 400_000)
    assert (row["cold_start_ms"], row["peak_rss_mb"], row["overlap_at_10"]) == (180.0, 61.0, 0.98)
    assert (row["kind"], row["auc"], row["log_loss"]) == ("retriever", None, None)
    assert row["ndcg_at_10_ci"] == [pytest.approx(0.09), pytest.approx(0.11)]


def test_what_is_not_known_is_null(make: Callable[..., Measurement]) -> None:
    """No quality in the manifest, no VmHWM: null, never zero."""
    result = make(ndcg=None, overlap=None)
    (row,) = rows([replace(result, memory=replace(result.memory, peak_rss_bytes=None))])
    assert [row[name] for name in ("ndcg_at_10", "ndcg_at_10_ci", "overlap_at_10", "peak_rss_mb")] == [None] * 4


def test_the_files_are_written_together(tmp_path: Path, make: Callable[..., Measurement]) -> None:
    """The page and the rows appear, with the schema that readers check, and no part of a file is left."""
    write_report([make()], tmp_path / "out" / "r.html", tmp_path / "out" / "r.json")
    assert json.loads((tmp_path / "out" / "r.json").read_text()) == {"schema": 1, "rows": rows([make()])}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["r.html", "r.json"]


def test_no_result_is_no_report(tmp_path: Path) -> None:
    """An empty list is refused before a file is touched."""
    with pytest.raises(MeasurementError, match="no result to report"):
        write_report([], tmp_path / "r.html")
    assert not list(tmp_path.iterdir())
