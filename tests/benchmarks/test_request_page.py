"""docs/requests.md is that of benchmarks/results/request.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pages import with_figures
from requesting.page import COMMAND, figures

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """Return the rows as they were measured."""
    read: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results" / "request.json").read_text())
    return read


def test_the_page_is_that_of_the_rows(result: dict[str, Any]) -> None:
    """Its figures are written by the command that it names."""
    page = (ROOT / "docs" / "requests.md").read_text()
    assert with_figures(page, figures(result)) == page, f"run: {COMMAND}"


def test_a_missed_goal_is_said(result: dict[str, Any]) -> None:
    """What is asked of a request stands beside what was found, whichever it is."""
    slow = [{**row, "cpu_p50_ms": 9.0} if row["way"].startswith("edge-rec") else row for row in result["rows"]]
    fast = [{**row, "cpu_p50_ms": 0.01} if row["way"].startswith("edge-rec") else row for row in result["rows"]]
    assert figures({**result, "rows": slow}).count("| no |") > figures({**result, "rows": fast}).count("| no |")
