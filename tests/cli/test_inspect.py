"""``edge-rec inspect``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from edge_rec.cli import main
from edge_rec_runtime import errors

MakeBundle = Callable[..., Path]
FIGURES = {
    "metrics": {"ndcg_at_10": 0.1234, "ndcg_at_10_ci": [0.11, 0.135], "users": 943},
    "verification": {"passed": True, "overlap_at_10": 0.991},
    "provenance": {"seed": 3, "tools": {"torch": "2.13.0"}},
}


def test_it_shows_what_is_in_a_bundle(make_bundle: MakeBundle) -> None:
    """Precision, sizes, quality with its interval, verdict, origin, engines: all in readable lines."""
    path = make_bundle(precision="binary", **FIGURES)
    shown = CliRunner().invoke(main, ["inspect", str(path)]).stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    for line in (
        "precision binary",
        "items 60",
        f"bytes {path.stat().st_size:,}",
        "tables items binary, rescore int8",
        "attributes genres, year",
        "ndcg_at_10 0.1234 [0.11, 0.135]",
        "passed yes",
        "tools torch 2.13.0",
        "runs_here onnxruntime",
        "encoder.onnx",
    ):
        assert any(found.startswith(line) for found in lines), line


def test_json_holds_the_same(make_bundle: MakeBundle) -> None:
    """Members add up to nearly the file, and figures are unrounded."""
    path = make_bundle(precision="int8", **FIGURES)
    record = json.loads(CliRunner().invoke(main, ["inspect", str(path), "--json"]).stdout)
    assert {name: record[name] for name in FIGURES} == FIGURES
    assert (record["precision"], record["items"], record["dims"], record["max_length"]) == ("int8", 60, 16, 20)
    assert record["bytes"] == path.stat().st_size
    assert 0 <= record["bytes"] - sum(one["bytes"] for one in record["members"]) < 200 * len(record["members"])
    assert record["engines"]["onnxruntime"]


def test_a_flipped_bit_anywhere_fails(make_bundle: MakeBundle) -> None:
    """Inspecting checks every byte: damage exits with the code for bundles, and nothing is shown."""
    path = make_bundle()
    whole = path.read_bytes()
    for place in range(0, len(whole), len(whole) // 37):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        result = CliRunner().invoke(main, ["inspect", str(path)])
        assert (result.exit_code, result.stdout) == (errors.BundleError.exit_code, "")
        assert str(path) in result.stderr
