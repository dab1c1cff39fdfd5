"""docs/search.md and its picture are those of benchmarks/results/scan.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pages import with_figures
from scanning.cases import CASES, GROWTH, PRECISIONS
from scanning.goals import GOALS, Goal, reached
from scanning.page import COMMAND, figures
from scanning.picture import described, draw

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "img" / "scan.svg"


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """Return the rows as they were measured."""
    read: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results" / "scan.json").read_text())
    return read


def row(**figures: object) -> dict[str, Any]:
    """Return a row of int8-1m with what is given."""
    contenders = [
        {"name": "full scan", "ours": True, "ms": 2.0, "of_limit": 0.95, "ratio": 2.0, "fault": ""},
        {"name": "other", "ours": False, "ms": 4.0, "of_limit": 0.4, "ratio": 4.0, "fault": ""},
    ]
    return {"case": "int8-1m", "ours_ms": 1.0, "ratio": 4.0, "contenders": contenders, **figures}


def test_the_page_is_that_of_the_rows(result: dict[str, Any]) -> None:
    """Its figures are written by the command that it names; the rest is left as it was."""
    page = (ROOT / "docs" / "search.md").read_text()
    assert with_figures(page, figures(result)) == page, f"run: {COMMAND}"


def test_the_picture_is_that_of_the_rows(result: dict[str, Any]) -> None:
    """It was drawn from the same rows, and the drawing is repeatable."""
    text = PICTURE.read_text()
    assert described(result["rows"]) in text, f"run: {COMMAND}"
    ET.fromstring(text)  # noqa: S314 - our own file
    assert draw(result["rows"]) == draw(result["rows"])


def test_every_row_is_of_a_case_and_was_checked(result: dict[str, Any]) -> None:
    """A row says what its case is, and none of ours was wrong or missing."""
    for one in result["rows"]:
        case = CASES[one["case"]]
        assert (one["n"], one["d"], one["k"], one["batch"], one["data"]) == (case.rows, case.dims, case.k, case.batch, case.data)
        assert one["answers_checked"] * case.batch > 100
        assert one["ours_ms"] > 0
        assert not any(contender["fault"] for contender in one["contenders"] if contender["ours"])


def test_a_page_without_a_place_for_figures_is_refused(result: dict[str, Any]) -> None:
    """Nothing is guessed, and what stands around the place is kept."""
    with pytest.raises(ValueError, match="the page has no lines"):
        with_figures("# A page", figures(result))
    page = with_figures("before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter", figures(result))
    assert page.startswith("before\n<!-- figures -->\n")
    assert page.endswith("<!-- end of figures -->\nafter")
    assert "\nold\n" not in page


def test_what_was_not_measured_is_said(result: dict[str, Any]) -> None:
    """A goal without a row is not reached, and a peer that was wrong is named."""
    one = {
        **result["rows"][0],
        "contenders": [{"name": "other", "ours": False, "ms": None, "fault": "other rows", "ratio": None}],
    }
    written = figures({**result, "rows": [one]})
    assert "| not measured | no |" in written
    assert "- other: other rows" in written


@pytest.mark.parametrize(
    ("goal", "measured", "expected"),
    [
        (Goal(case="int8-1m", words="", bound=3.3), row(), True),
        (Goal(case="int8-1m", words="", bound=3.3), row(ratio=3.2), False),
        (Goal(case="int8-1m", words="", bound=0.9, limit=True), row(), True),
        (Goal(case="int8-1m", words="", bound=0.96, limit=True), row(), False),
        (Goal(case="int8-1m", words="", bound=4, beside="other"), row(ratio=1.0), True),
        (Goal(case="int8-1m", words="", bound=1, beside="absent"), row(), False),
        (Goal(case="int8-1m", words="", bound=0.003, call=True), row(), False),
    ],
)
def test_a_goal_is_held_against_its_own_figure(goal: Goal, measured: dict[str, Any], *, expected: bool) -> None:
    """Each kind of goal looks at the figure that it names."""
    assert reached(goal, measured) is expected


def test_goals_and_growth_are_of_cases() -> None:
    """Every goal can be measured, and growth has four sizes a precision on both data sets."""
    assert {goal.case for goal in GOALS} <= set(CASES)
    assert len(GROWTH) == len(PRECISIONS) * 4 * 2
