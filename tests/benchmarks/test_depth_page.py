"""The table of docs/compression.md, "From deep to shallow", is that of benchmarks/results/depth-ml-100k.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from compressing.depth import DEEP, SHALLOW, WAYS

ROOT = Path(__file__).parents[2]
NAMES = {
    "deep": "deep",
    "alone": "shallow, alone",
    "soft-labels": "shallow, soft labels",
    "distilled": "shallow, soft labels, begun with the teacher's vectors and layers",
}


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Any]]:
    """Return the rows by variant."""
    result = json.loads((ROOT / "benchmarks" / "results" / "depth-ml-100k.json").read_text())
    return {row["variant"]: row for row in result["rows"]}


@pytest.mark.parametrize("variant", NAMES)
def test_the_table_is_that_of_the_rows(rows: dict[str, dict[str, Any]], variant: str) -> None:
    """Layers, bytes, quality and the lead over the network alone are the measured ones."""
    row = rows[variant]
    low, high = row["ndcg_at_10_ci"]
    least, most = row["over_alone_ci"]
    lead = "1" if variant == "alone" else f"{row['over_alone']:.3f}, {least:.3f} - {most:.3f}"
    line = (
        f"| {NAMES[variant]} | {row['layers']} | {row['model_bytes']:,} | "
        f"{row['ndcg_at_10']:.4f}, {low:.4f} - {high:.4f} | {lead} |"
    )
    assert line in (ROOT / "docs" / "compression.md").read_text()


def test_the_networks_are_those_of_the_command(rows: dict[str, dict[str, Any]]) -> None:
    """A hundred layers and a tenth of them, in every way that the benchmark knows."""
    assert {name: row["layers"] for name, row in rows.items()} == {"deep": DEEP, **dict.fromkeys(WAYS, SHALLOW)}
