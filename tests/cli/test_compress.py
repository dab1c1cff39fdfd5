"""``edge-rec compress`` and ``edge-rec recipes`` parse, call, show, and can be interrupted."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from edge_rec.cli import compress as command
from edge_rec.cli import main
from edge_rec_runtime import Bundle

if TYPE_CHECKING:
    from pathlib import Path

STEP = "factorise:items=true,rank=2"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a small LightGCN, ``run``, beside the log that it was trained on, ``log.csv``."""
    folder = tmp_path_factory.mktemp("trained")
    lines = [f"u{user},i{(user + step) % 12},{step}" for user in range(24) for step in range(8)]
    (folder / "log.csv").write_text("\n".join(["user_id,item_id,timestamp", *lines]) + "\n")
    options = ["--model", "lightgcn", "--dims", "8", "--epochs", "1"]
    result = CliRunner().invoke(main, ["train", str(folder / "log.csv"), "-o", str(folder / "run"), *options])
    assert result.exit_code == 0, result.output
    return folder / "run"


def test_steps_are_followed_and_shown(run: Path, tmp_path: Path) -> None:
    """One line a step on standard output, and what to do next."""
    output = tmp_path / "out"
    result = CliRunner().invoke(
        main, ["compress", str(run), "--step", STEP, "--step", "factorise:items=true,rank=1", "-o", str(output)]
    )
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["step", "factorise:items", "factorise:items"]
    assert f"edge-rec convert {output}" in result.stderr


def test_a_recipe_ends_in_bundles(run: Path, tmp_path: Path) -> None:
    """JSON is one document: the run's configuration, and the bundles with their verdicts, which carry the records."""
    (tmp_path / "mine.toml").write_text(
        '[recipe]\nname = "mine"\n[[step]]\nkind = "factorise"\nitems = true\nrank = 4\nepochs = 1\n'
        '[convert]\nto = ["onnx"]\nprecision = "fp32"\n'
    )
    asked = ["compress", str(run), "--recipe", str(tmp_path / "mine.toml"), "-o", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(main, [*asked, "--dataset", str(run.parent / "log.csv")])
    assert result.exit_code == 0, result.output
    config = json.loads(result.stdout)
    assert [one["form"] for one in config["compression"]] == ["factorise:items"]
    (bundle,) = config["bundles"]
    with Bundle.open(bundle["bundle"]) as opened:
        (told,) = opened.manifest.provenance["compression"]
    assert told["options"] == config["compression"][0]["options"]
    assert told["effect"]["ndcg_kept"] == config["compression"][0]["effect"]["ndcg_kept"]
    assert "seconds" not in json.dumps(told)
    shown = CliRunner().invoke(main, ["inspect", bundle["bundle"]]).stdout
    assert any(line.startswith("factorise:items") for line in shown.splitlines())


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "nothing to do: give --recipe, or --step"),
        (["--recipe", "low-rnk"], 4, "did you mean 'low-rank'?"),
        (["--step", "factorise:items=true,rnak=2"], 4, "did you mean 'rank'?"),
        (["--step", "factorise:items=true,rank=9"], 4, "rank=9 is above what the item table can have; it is 12 x 8"),
        (["--step", f"{STEP},epochs=1"], 4, "--dataset"),
        (["--step", f"{STEP},epochs=1", "--dataset", "nowhere.csv"], 3, "nowhere.csv: no such file"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], code: int, said: str, run: Path, tmp_path: Path) -> None:
    """The exit code tells what kind, and nothing is begun."""
    result = CliRunner().invoke(main, ["compress", str(run), *words, "-o", str(tmp_path / "out")])
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out" / "config.json").exists()


def test_an_interrupt_says_what_is_kept(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 130, and that the same command goes on."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "compress_run", interrupted)
    result = CliRunner().invoke(main, ["compress", str(run), "--step", STEP, "-o", str(tmp_path / "out")])
    assert result.exit_code == 130
    assert "the same command goes on from there" in result.stderr


def test_recipes_are_listed() -> None:
    """A line each for people; steps, targets and what was achieved for programs."""
    shown = CliRunner().invoke(main, ["recipes"])
    assert shown.exit_code == 0, shown.output
    assert "low-rank" in shown.stdout
    found = json.loads(CliRunner().invoke(main, ["recipes", "--json"]).stdout)
    (narrow,) = (one for one in found if one["name"] == "low-rank")
    assert narrow["steps"][0]["form"] == "factorise:items"
    assert narrow["to"] == ["onnx", "tflite"]


def test_nothing_is_fetched_for_what_cannot_be(run: Path, tmp_path: Path) -> None:
    """A teacher that is not there is said before the log of a public data set is asked for."""
    start = tmp_path / "start"
    shutil.copytree(run, start)
    config = json.loads((start / "config.json").read_text())
    (start / "config.json").write_text(json.dumps(config | {"dataset": config["dataset"] | {"name": "ml-100k"}}))
    asked = ["compress", str(start), "--step", "distil:epochs=1,teachers=['nobody']", "--folder", str(tmp_path / "data")]
    result = CliRunner().invoke(main, [*asked, "-o", str(tmp_path / "out")])
    assert result.exit_code != 0
    assert result.stderr.startswith("Error: nobody/config.json: no such file")
    assert not (tmp_path / "data").exists()
