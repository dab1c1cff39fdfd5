"""``edge-rec train`` parses, trains, shows, and can be interrupted."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from edge_rec.cli import main
from edge_rec.cli import train as command
from edge_rec.models import load_run

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_runtime import Progress

SMALL = ["--dims", "4", "--feed-forward", "8", "--max-length", "6", "--epochs", "1"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return a CSV of 20 users who walk round 8 items."""
    lines = [f"u{user},i{(user + step) % 8},{step}" for user in range(20) for step in range(8)]
    path = tmp_path / "clicks.csv"
    path.write_text("\n".join(["user_id,item_id,timestamp", *lines]) + "\n")
    return path


def test_a_model_is_trained_and_shown(log: Path, tmp_path: Path) -> None:
    """A table with both held-out parts and their intervals; a folder that loads."""
    result = CliRunner().invoke(main, ["train", str(log), "--model", "popularity", "-o", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["held", "validation", "test"]
    assert "95% of NDCG@10" in result.stdout
    assert load_run(tmp_path / "run").name == "popularity"


def test_a_ranker_is_trained_and_shown(tmp_path: Path) -> None:
    """The same command: a log with ratings, the AUC of both held-out parts, and a folder that loads."""
    lines = [f"u{event % 20},i{event * 7 % 9},{1 + event * event % 5},{event}" for event in range(400)]
    (tmp_path / "rated.csv").write_text("\n".join(["user_id,item_id,rating,timestamp", *lines]) + "\n")
    asked = [
        "train",
        str(tmp_path / "rated.csv"),
        "--model",
        "deepfm",
        "--dims",
        "4",
        "--epochs",
        "1",
        "-o",
        str(tmp_path / "run"),
    ]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["held", "validation", "test"]
    assert "95% of AUC" in result.stdout
    assert load_run(tmp_path / "run").name == "deepfm"


def test_json_is_the_runs_configuration(log: Path, tmp_path: Path) -> None:
    """With --json standard output is one JSON document, and the options given are in it."""
    result = CliRunner().invoke(main, ["train", str(log), "-o", str(tmp_path / "run"), "--seed", "5", "--json", *SMALL])
    assert result.exit_code == 0, result.output
    config = json.loads(result.stdout)
    assert (config["model"], config["seed"], config["options"]["dims"], config["training"]["epochs"]) == ("sasrec", 5, 4, 1)
    assert config["metrics"]["test"]["users"] == 20


def test_ctrl_c_says_how_to_go_on(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted in the second epoch: exit code 130 and the way on; with --resume the run is finished."""

    def interrupt(done: int, total: int, note: str = "") -> None:
        if note.startswith("epoch 2"):
            raise KeyboardInterrupt

    def bar(label: str) -> Progress:
        return interrupt

    arguments = ["train", str(log), "-o", str(tmp_path / "run"), *SMALL[:-1], "3"]
    with monkeypatch.context() as patched:
        patched.setattr(command, "Bar", bar)
        result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 130
    assert "--resume goes on from there" in result.stderr
    assert not (tmp_path / "run" / "config.json").exists()
    again = CliRunner().invoke(main, [*arguments, "--resume", "--json"])
    assert again.exit_code == 0, again.output
    assert len(json.loads(again.stdout)["epochs"]) == 3


def test_ctrl_c_before_the_first_epoch_promises_nothing(log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing was kept the message says so, and the same command, without --resume, starts again."""

    def interrupt(done: int, total: int, note: str = "") -> None:
        raise KeyboardInterrupt

    def bar(label: str) -> Progress:
        return interrupt

    arguments = ["train", str(log), "-o", str(tmp_path / "run"), *SMALL]
    with monkeypatch.context() as patched:
        patched.setattr(command, "Bar", bar)
        result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 130
    assert "the same command starts again" in result.stderr
    assert "--resume" not in result.stderr
    assert CliRunner().invoke(main, arguments).exit_code == 0


def test_a_full_disk_is_one_sentence_and_no_run(log: Path, tmp_path: Path) -> None:
    """Where no byte can be written the exit code is not 0, the file is named, and no half of it is left."""
    code = (
        "import resource, signal, sys; from edge_rec.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); main(sys.argv[1:])"
    )
    words = ["train", str(log), "--model", "popularity", "-o", str(tmp_path / "run")]
    result = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert str(tmp_path / "run") in result.stderr
    assert "nothing was left half-written" in result.stderr
    assert "Traceback" not in result.stderr
    assert [path for path in (tmp_path / "run").rglob("*") if path.is_file()] == []


def test_columns_are_options(log: Path, tmp_path: Path) -> None:
    """What the message about a missing column advises can be typed."""
    log.write_text(log.read_text().replace("item_id", "page"))
    arguments = ["train", str(log), "--model", "popularity", "-o", str(tmp_path / "run")]
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 3
    assert "--item-column" in refused.stderr
    assert CliRunner().invoke(main, [*arguments, "--item-column", "page"]).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere.csv"], 3, "nowhere.csv"),
        (["LOG", "--model", "oracle"], 2, "oracle"),
        (["LOG", "--model", "popularity", "--dims", "4"], 4, "has no option 'dims'"),
        (["LOG", "--heads", "3"], 4, "3 heads do not divide 64 dims"),
        (["LOG", "--dropout", "1"], 4, "dropout=1"),
        (["LOG", "--recency", "-1"], 4, "recency=-1"),
        (["LOG", "--core", "1000"], 3, "no event is left"),
    ],
)
def test_mistakes_are_one_sentence(log: Path, tmp_path: Path, arguments: list[str], code: int, message: str) -> None:
    """Each mistake has its exit code and names what was wrong; no run directory is left."""
    told = [str(log) if one == "LOG" else one for one in arguments]
    result = CliRunner().invoke(main, ["train", *told, "-o", str(tmp_path / "run")])
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "run" / "config.json").exists()
