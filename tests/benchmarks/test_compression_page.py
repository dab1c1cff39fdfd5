"""docs/compression-results.md and its picture are those of benchmarks/results/compression-ml-1m.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from compressing.page import COMMAND, page, shortfalls
from compressing.picture import described, draw
from compressing.readme import readme_table
from compressing.variants import CURVES, MAIN, PERCENTS, VARIANTS, identity_of
from readmes import with_table

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "img" / "compression.svg"


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """Return the rows as they were measured."""
    read: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results" / "compression-ml-1m.json").read_text())
    return read


def row(slug: str, kept: float, **figures: float) -> dict[str, Any]:
    """Return a row that reaches everything but what is given."""
    sizes = dict.fromkeys(("bytes_ratio", "item_bytes_ratio", "item_bytes_each", "network_bytes_ratio", "latency_ratio"), 0.02)
    head = {"variant": slug, "target": "onnx", "dataset": "ml-1m", "seeds": 1, "users": 10, "teacher_ndcg_at_10": 0.2}
    quality = {"ndcg_kept": kept, "ndcg_kept_ci": [kept - 0.01, kept + 0.01], "overlap_at_10": 1.0}
    return {**head, **sizes, "network_latency_ratio": 0.5, **quality, **figures}


def test_the_page_is_that_of_the_rows(result: dict[str, Any]) -> None:
    """Written by the command that it names."""
    assert (ROOT / "docs" / "compression-results.md").read_text() == page(result), f"run: {COMMAND}"


def test_the_picture_is_that_of_the_rows(result: dict[str, Any]) -> None:
    """It was drawn from the same rows, and the drawing is repeatable."""
    text = PICTURE.read_text()
    assert described(result["rows"]) in text, f"run: {COMMAND}"
    ET.fromstring(text)  # noqa: S314 - our own file
    assert draw(result["rows"]) == draw(result["rows"])


def test_rows_are_of_the_recipes_as_they_are(result: dict[str, Any]) -> None:
    """A recipe that has changed since its row was measured is measured again before anything is shown."""
    stale = [row["variant"] for row in result["rows"] if row["identity"] != identity_of(VARIANTS[row["variant"]])]
    assert stale == []


def test_the_readme_has_the_rows(result: dict[str, Any]) -> None:
    """Its table is that of the rows; a row that is not there is left out."""
    text = (ROOT / "README.md").read_text()
    assert with_table(text, readme_table(result["rows"])) == text, f"run: {COMMAND}"
    alone = readme_table([row("stacked", 0.9), row("low-rank", 0.9)]).splitlines()
    assert (len(alone), alone[2].split(" | ")[0]) == (3, "| `tiny-sasrec`")


@pytest.mark.parametrize(
    ("slug", "figures", "said"),
    [
        ("int8", {"bytes_ratio": 0.31}, "model 0.31 instead of 0.3"),
        ("int8", {"overlap_at_10": 0.98}, "overlap@10 0.9800 instead of 0.985"),
        ("prune-90", {"ndcg_kept": 0.849}, "NDCG@10 kept 0.8490 instead of 0.85"),
        ("binary", {"item_bytes_each": 18.0}, "bytes an item 18 instead of 12"),
        ("prune-structured", {"network_latency_ratio": 0.71}, "time of the network 0.71 instead of 0.7"),
    ],
)
def test_what_falls_short_is_said(slug: str, figures: dict[str, float], said: str) -> None:
    """Each thing that was asked for is looked at, and a row that has all of it is not blamed."""
    assert shortfalls(row(slug, 1.0)) == []
    assert shortfalls({**row(slug, 1.0), **figures}) == [said]


def test_curves_stand_beside_chance(result: dict[str, Any]) -> None:
    """The page has a line a criterion, the picture a curve a criterion, whatever points are there."""
    rows = [row(slug, 0.9 - 0.001 * place) for place, slug in enumerate([*MAIN, *CURVES])]
    text = page({**result, "rows": rows})
    assert "| `random` | 0.8" in text
    assert len([line for line in text.splitlines() if line.count("), 1.000, 0.020") == len(PERCENTS)]) == len(CURVES) / len(
        PERCENTS
    )
    drawn = draw(rows[:-1])
    assert "random-neurons" in drawn
    assert "prune-structured" in drawn


def test_what_is_not_there_yet_is_said(result: dict[str, Any]) -> None:
    """A page without a variant names it."""
    assert "Not measured yet: `int8`," in page({**result, "rows": [row("stacked", 0.9)]})
