"""Measurements become a page that one can read, and rows that a program can."""

from __future__ import annotations

__all__ = ["COLUMNS", "rows", "write_report"]

import json
from pathlib import Path
from typing import TYPE_CHECKING

from edge_rec_devices._files import write_whole
from edge_rec_devices.report.page import render
from edge_rec_devices.report.rows import COLUMNS, rows
from edge_rec_devices.result_file import SCHEMA
from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_devices.result import Measurement


def write_report(results: Sequence[Measurement], html_path: Path | str, json_path: Path | str | None = None) -> None:
    """Write the page, and the rows beside it where asked; each file whole or not at all.

    Args:
        results: Of one machine or several; the order is kept.
        html_path: Where the page goes.
        json_path: Where ``{"schema": 1, "rows": [...]}`` goes.

    Raises:
        MeasurementError: No result.
        DependencyError: jinja2 or matplotlib is not installed.
    """
    if not results:
        raise MeasurementError("there is no result to report; measure a bundle with 'edge-rec bench' first")
    page = render(results)
    write_whole(Path(html_path), page)
    if json_path is not None:
        content = {"schema": SCHEMA, "rows": rows(results)}
        write_whole(Path(json_path), json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
