"""``edge-rec sensitivity`` parses, calls, shows and draws."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from edge_rec.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small SASRec, ``run``, beside the log that it was trained on, ``log.csv``."""
    folder = tmp_path_factory.mktemp("trained")
    lines = [f"u{user},i{(user + step) % 40},{step}" for user in range(40) for step in range(8)]
    (folder / "log.csv").write_text("\n".join(["user_id,item_id,timestamp", *lines]) + "\n")
    options = ["--dims", "16", "--feed-forward", "32", "--heads", "2", "--max-length", "6", "--epochs", "1"]
    result = CliRunner().invoke(main, ["train", str(folder / "log.csv"), "-o", str(folder / "run"), *options])
    assert result.exit_code == 0, result.output
    return folder / "run"


def test_two_tables_and_a_drawing(run: Path, tmp_path: Path) -> None:
    """Layers first, then groups; the drawing is written beside them."""
    result = CliRunner().invoke(main, ["sensitivity", str(run), "--plot", str(tmp_path / "seen.svg"), "--users", "10"])
    assert result.exit_code == 0, result.output
    layers, groups = result.stdout.split("\n\n")
    assert layers.splitlines()[1].split()[:2] == ["items", "640"]
    assert {line.split()[0] for line in groups.splitlines()[1:]} == {"prune", "int8", "int4", "binary"}
    assert (tmp_path / "seen.svg").read_text().startswith("<?xml")


def test_json_is_one_document(run: Path) -> None:
    """Programs get the same rows."""
    result = CliRunner().invoke(main, ["sensitivity", str(run), "--json", "--dataset", str(run.parent / "log.csv")])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {row["by"] for row in found["groups"]} == {"all", "history", "popularity"}
    assert found["layers"][0]["layer"] == "items"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nowhere"], 4, "nowhere/config.json: no such file"),
        (["RUN", "--dataset", "nowhere.csv"], 3, "nowhere.csv: no such file"),
        (["RUN", "--users", "0"], 2, "0 is not in the range"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], code: int, said: str, run: Path) -> None:
    """The exit code tells what kind."""
    result = CliRunner().invoke(main, ["sensitivity", *(str(run) if word == "RUN" else word for word in words)])
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output
