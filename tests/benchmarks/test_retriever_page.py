"""The figures of docs/apps.md and their picture are those of benchmarks/results/retriever.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pages import with_figures
from retrieving.cases import CASES, CLIENTS
from retrieving.goals import GOALS, Goal, reached
from retrieving.measure import recall
from retrieving.page import COMMAND, figures
from retrieving.picture import described, draw

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "img" / "retriever.svg"


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """Return the rows as they were measured."""
    read: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results" / "retriever.json").read_text())
    return read


def test_the_page_is_that_of_the_rows(result: dict[str, Any]) -> None:
    """Its figures are written by the command that it names; the rest is left as it was."""
    page = (ROOT / "docs" / "apps.md").read_text()
    assert with_figures(page, figures(result)) == page, f"run: {COMMAND}"


def test_the_picture_is_that_of_the_rows(result: dict[str, Any]) -> None:
    """It was drawn from the same rows, and the drawing is repeatable."""
    text = PICTURE.read_text()
    assert described(result["rows"]) in text, f"run: {COMMAND}"
    ET.fromstring(text)  # noqa: S314 - our own file
    assert draw(result["rows"]) == draw(result["rows"])


def test_every_row_is_of_a_case(result: dict[str, Any]) -> None:
    """A row says what its case is; precisions that keep the numbers find nearly all of the exact answer."""
    for row in result["rows"]:
        case = CASES[row["case"]]
        said = (row["client"], row["target"], row["precision"], row["data"], row["model"], row["n"])
        assert said == (case.client, case.target, case.precision, case.data, case.model, case.rows)
        assert row["engine"] == CLIENTS[case.client].engines[case.target]
        assert row["ms"] > 0
        assert row["bytes"] > 0
        assert case.precision != "fp32" or row["recall_at_100"] > 0.999


def test_goals_are_of_cases_and_tell_more_from_less() -> None:
    """A recall must not be below its bound, a time not above it."""
    assert {goal.case for goal in GOALS} <= set(CASES)
    recalled = Goal(case="c", figure="recall_at_100", words="", bound=0.98)
    timed = Goal(case="c", figure="latency_ratio", words="", bound=0.15)
    row = {"recall_at_100": 0.98, "latency_ratio": 0.151}
    assert reached(recalled, row)
    assert not reached(timed, row)
    assert not reached(recalled, row | {"recall_at_100": 0.979})
    assert reached(timed, row | {"latency_ratio": 0.15})


def test_recall_counts_what_was_found_whatever_the_order() -> None:
    """The mean over histories of the shares that were found."""
    assert recall([[3, 1, 2], [9, 8, 7]], [[1, 2, 3], [9, 0, 1]]) == pytest.approx((1 + 1 / 3) / 2)
