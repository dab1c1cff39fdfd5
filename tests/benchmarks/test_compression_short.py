"""The whole of `benchmarks/compression.py` in a short form: every row can be made, from files of both targets."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import compression
import pytest
from compressing.files import TARGETS
from compressing.variants import MAIN, TEACHER

from edge_rec.data import load
from edge_rec_runtime.errors import DataError

DATASETS = Path(__file__).parents[2] / "datasets"


@pytest.mark.data
@pytest.mark.slow
def test_every_main_row_is_made_from_files(tmp_path: Path) -> None:
    """MovieLens-100K, one epoch of everything, few users: each variant has a row for each target, of figures that are numbers."""
    try:
        load("ml-100k", DATASETS)
    except DataError as error:
        pytest.skip(str(error))
    result, users = tmp_path / "short.json", 40
    short = ["--seeds", "1", "--epochs-at-most", "1", "--users-at-most", str(users), "--blocks", "1", "--seconds", "0.02"]
    where = ["--data", str(DATASETS), "--teachers", str(tmp_path / "teachers"), "--output", str(tmp_path / "runs")]
    slugs = (TEACHER, "fp32-further", *MAIN)
    only = [word for slug in slugs for word in ("--only", slug)]
    assert compression.main(["--dataset", "ml-100k", *only, *short, *where, "--json", str(result)]) == 0
    rows = json.loads(result.read_text(), parse_constant=_refused)["rows"]
    assert {(row["variant"], row["target"]) for row in rows} == {(slug, target) for slug in slugs for target in TARGETS}
    plain = {row["target"]: row["model_bytes"] for row in rows if row["variant"] == TEACHER}
    for row in rows:
        assert row["users"] == users
        assert 0 <= row["overlap_at_10"] <= 1
        assert row["latency_ms"] > 0
        assert row["model_bytes"] > 0
        assert math.isclose(row["bytes_ratio"], row["model_bytes"] / plain[row["target"]], abs_tol=1e-5)


def test_short_rows_do_not_stand_among_the_others() -> None:
    """Without a file of their own they are refused, before anything is made."""
    with pytest.raises(SystemExit):
        compression.main(["--epochs-at-most", "1"])


def _refused(word: str) -> Any:  # noqa: ANN401 - as json asks for it
    raise ValueError(f"{word} is no number")
