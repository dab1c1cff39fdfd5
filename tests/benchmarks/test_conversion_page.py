"""docs/conversion.md and its picture are those of benchmarks/results/convert.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from conversion.page import COMMAND, page
from conversion.picture import described, draw
from conversion.readme import readme_table
from readmes import with_table

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "img" / "conversion.svg"


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """Return the rows as they were measured."""
    read: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results" / "convert.json").read_text())
    return read


def test_the_page_is_that_of_the_rows(result: dict[str, Any]) -> None:
    """Written by the command that it names, and each loss has its cause."""
    assert (ROOT / "docs" / "conversion.md").read_text() == page(result), f"run: {COMMAND}"


def test_the_picture_is_that_of_the_rows(result: dict[str, Any]) -> None:
    """It was drawn from the same files, is small, and the drawing itself is repeatable."""
    text = PICTURE.read_text()
    assert described(result["rows"]) in text, f"run: {COMMAND}"
    assert len(text) < 200_000
    ET.fromstring(text)  # noqa: S314 - our own file
    assert draw(result["rows"]) == draw(result["rows"])


def test_another_row_is_another_picture(result: dict[str, Any]) -> None:
    """A changed figure changes the mark that the picture is known by."""
    first, *rest = [row for row in result["rows"] if row.get("precision") == "int8" and row["target"] != "any"]
    plain = [row for row in result["rows"] if row.get("precision") == "fp32"]
    assert described([*plain, first, *rest]) != described([*plain, first | {"model_bytes": first["model_bytes"] + 999}, *rest])


def test_the_readme_shows_the_rows(result: dict[str, Any]) -> None:
    """Its table is that of the rows, and writing it anew changes nothing else."""
    text = (ROOT / "README.md").read_text()
    assert readme_table(result["rows"]) in text, f"run: {COMMAND}"
    assert with_table(text, readme_table(result["rows"])) == text
    with pytest.raises(ValueError, match="no table"):
        with_table("a page", readme_table(result["rows"]))


def test_the_readmes_rankers_are_those_of_the_results() -> None:
    """Each AUC, its interval and each log-loss of benchmarks/results/ranking.json stands in the README."""
    rows = json.loads((ROOT / "benchmarks" / "results" / "ranking.json").read_text())["rows"]
    shown = (ROOT / "README.md").read_text()
    for row in rows:
        auc, low, high, loss = (f"{value:.3f}"[1:] for value in (row["auc"], *row["auc_ci"], row["log_loss"]))
        assert f"| {auc} [{low}, {high}] | {loss} |" in shown, f"{row['dataset']} {row['model']}"
