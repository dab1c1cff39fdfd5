"""The main job, from a log to recommendations served from bundles, on a small log made here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from edge_rec.cli import main
from edge_rec.demo import GRAPHS
from edge_rec_runtime import Bundle, Recommender, read_histories

if TYPE_CHECKING:
    from pathlib import Path

ROW_KEYS = {
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
}


def write_log(path: Path, *, users: int = 120, items: int = 150) -> None:
    """Write a log in which users walk through the catalogue in small steps, so that a sequence model has something to learn."""
    rng = np.random.default_rng(0)
    lines = ["user,item,timestamp"]
    for user in range(users):
        walk = np.cumsum(rng.integers(1, 4, size=rng.integers(12, 40))) + rng.integers(items)
        for step, item in enumerate(dict.fromkeys((walk % items).tolist())):
            lines.append(f"u{user},i{item},{1_000_000 + 1000 * user + step}")
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the demo once and return its folder."""
    home = tmp_path_factory.mktemp("demo")
    write_log(home / "walks.csv")
    run_demo(home)
    return home


def run_demo(home: Path) -> str:
    """Run the demo on the log in ``home`` and return what it printed."""
    arguments = ["demo", "-o", str(home / "out"), "--data", str(home / "walks.csv"), "--epochs", "4", "--seconds", "0.3"]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.slow
def test_six_bundles_are_verified_measured_and_reported(demo: Path) -> None:
    """Each target and precision has a bundle that passed its gate, a row with every figure, and a place in the page."""
    rows = json.loads((demo / "out" / "report.json").read_text())["rows"]
    assert {(row["target"], row["precision"]) for row in rows} == {
        (target, precision) for target in ("onnx", "tflite") for precision in ("fp32", "int8", "binary")
    }
    page = (demo / "out" / "report.html").read_text()
    for row in rows:
        assert set(row) == ROW_KEYS
        assert {name for name, value in row.items() if value is None} == {"auc", "log_loss"}  # what only rankers have
        assert row["bundle"] in page
        with Bundle.open(demo / "out" / row["bundle"], verify="full") as bundle:
            assert bundle.manifest.verification["passed"] is True
            assert bundle.manifest.model_bytes == row["model_bytes"]


@pytest.mark.slow
def test_both_targets_recommend_the_same_in_every_precision(demo: Path) -> None:
    """The ONNX and the TFLite bundle of one precision agree on at least 97 of 100 recommendations."""
    histories = read_histories(demo / "out" / "run" / "heldout" / "test.jsonl")[:50]
    for precision in ("fp32", "int8", "binary"):
        answers = []
        for target in ("onnx", "tflite"):
            with Recommender.open(demo / "out" / f"sasrec-{target}-{precision}.edgerec") as recommender:
                answers.append([{one.id for one in recommender.recommend(history.events)} for history in histories])
        shared = [len(ours & theirs) / 10 for ours, theirs in zip(*answers, strict=True)]
        assert np.mean(shared) >= 0.97


@pytest.mark.slow
def test_a_second_run_reuses_what_fits_and_mends_what_does_not(demo: Path) -> None:
    """Nothing whole is made again; a bundle with a flipped byte is."""
    bundles = sorted((demo / "out").glob("*.edgerec"))
    damaged = bytearray(bundles[0].read_bytes())
    whole = bytes(damaged)
    damaged[len(damaged) // 2] ^= 1
    bundles[0].write_bytes(damaged)
    before = {path: path.stat().st_mtime_ns for path in bundles}
    printed = run_demo(demo)
    after = {path: path.stat().st_mtime_ns for path in bundles}
    assert bundles[0].read_bytes() == whole
    assert [path for path in bundles if before[path] != after[path]] == [bundles[0]]
    assert "User u0 watched last" in printed


@pytest.mark.slow
def test_two_bundles_for_apps_hold_the_model_as_one_graph(demo: Path) -> None:
    """One a target, beside the six, and not among what is measured; their graphs answer as the runtime does."""
    rows = json.loads((demo / "out" / "report.json").read_text())["rows"]
    for target, name in GRAPHS.items():
        assert name not in {row["bundle"] for row in rows}
        with Bundle.open(demo / "out" / name, verify="full") as bundle:
            assert bundle.manifest.retriever is not None
            assert bundle.manifest.retriever.k == 100
            assert bundle.manifest.verification["retriever"][target]["same_items"] >= 0.99
