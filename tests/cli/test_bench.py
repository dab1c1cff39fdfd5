"""``edge-rec bench`` measures what it was asked to, and says what is missing before it starts."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from edge_rec.cli import main
from edge_rec_devices import load_results
from edge_rec_devices.report import COLUMNS
from edge_rec_runtime import History, write_histories

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QUICK = ("--seconds", "0.1", "--cold-starts", "1")


@pytest.fixture
def histories(tmp_path: Path) -> Path:
    """Give a file of histories."""
    path = tmp_path / "histories.jsonl"
    write_histories(path, [History((f"i{user}", f"i{user + 1}")) for user in range(20)])
    return path


def bench(*args: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["bench", *map(str, args)])


def test_it_prints_a_table_and_writes_results(make_bundle: Callable[..., Path], histories: Path, tmp_path: Path) -> None:
    """One line a bundle with those columns of a report that are known, and a file that report reads."""
    bundles = [make_bundle(name="a.edgerec"), make_bundle(name="b.edgerec", precision="int8")]
    result = bench(*bundles, "--histories", histories, *QUICK, "-o", tmp_path / "r.json")
    assert result.exit_code == 0, result.output
    header, *lines = result.stdout.splitlines()
    unknown = {"ndcg_at_10", "ndcg_at_10_ci", "overlap_at_10", "auc", "log_loss"}  # these bundles' manifests have no figures
    assert header.split() == [name for name in COLUMNS if name not in unknown]
    assert [line.split()[0] for line in lines] == ["a.edgerec", "b.edgerec"]
    assert [one.subject.file for one in load_results(tmp_path / "r.json")] == ["a.edgerec", "b.edgerec"]


def test_a_folder_gets_one_file_a_bundle(make_bundle: Callable[..., Path], histories: Path, tmp_path: Path) -> None:
    """Each named after its bundle, and the rows come as JSON where asked."""
    bundles = [make_bundle(name="a.edgerec"), make_bundle(name="b.edgerec")]
    result = bench(*bundles, "--histories", histories, *QUICK, "-o", tmp_path / "results", "--json")
    assert result.exit_code == 0, result.output
    assert [row["bundle"] for row in json.loads(result.stdout)] == ["a.edgerec", "b.edgerec"]
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["a.json", "b.json"]
    assert len(load_results(tmp_path / "results" / "a.json")) == 1


def test_rankers_are_measured_on_requests(make_ranker: Callable[..., Path], tmp_path: Path) -> None:
    """Requests come from a file, the row holds the AUC of the manifest, the result the stages of a ranker."""
    requests = tmp_path / "requests.jsonl"
    line = {"candidates": ["i1", "i2", "i9"], "context": {"age": "25", "history": ["i3"], "hour": 13}}
    requests.write_text(json.dumps(line) + "\n")
    result = bench(make_ranker(metrics={"auc": 0.75}), "--requests", requests, *QUICK, "--json", "-o", tmp_path / "r.json")
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)
    assert (row["kind"], row["auc"], row["ndcg_at_10"]) == ("ranker", 0.75, None)
    assert row["peak_rss_mb"] is None or row["peak_rss_mb"] > 10
    (read,) = load_results(tmp_path / "r.json")
    assert [stage.name for stage in read.stages.parts] == ["lookup", "features", "run", "order"]


def test_without_histories_it_says_how_to_get_some(make_bundle: Callable[..., Path]) -> None:
    """A usage error that shows a line of the file and where such a file lies."""
    result = bench(make_bundle())
    assert result.exit_code == 2
    assert "--histories FILE.jsonl" in result.output
    assert "--requests FILE.jsonl" in result.output
    assert "heldout/test.jsonl" in result.output


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--seconds", "0"), 10, "seconds is 0"),
        (("--seconds", "nan"), 10, "seconds is nan"),
        (("--backend", "litert"), 8, "litert"),
        (("-k", "0"), 2, "x>=1"),
    ],
)
def test_what_cannot_be_measured_is_one_sentence(
    make_bundle: Callable[..., Path], histories: Path, options: tuple[str, ...], code: int, words: str
) -> None:
    """Each mistake has its exit code and words of its own."""
    result = bench(make_bundle(), "--histories", histories, *options)
    assert result.exit_code == code
    assert words in result.output


def test_a_bundle_is_not_taken_for_a_place(make_bundle: Callable[..., Path], histories: Path) -> None:
    """``-o`` on a file that is no result is refused before anything is measured."""
    path = make_bundle()
    before = path.read_bytes()
    result = bench(path, "--histories", histories, "-o", path)
    assert result.exit_code == 2
    assert "ends in .json" in result.output
    assert path.read_bytes() == before


def test_two_bundles_of_one_name_do_not_overwrite_each_other(
    make_bundle: Callable[..., Path], histories: Path, tmp_path: Path
) -> None:
    """Refused before anything is measured, with the way out."""
    (tmp_path / "other").mkdir()
    first = make_bundle(name="a.edgerec")
    second = tmp_path / "other" / "a.edgerec"
    second.write_bytes(first.read_bytes())
    result = bench(first, second, "--histories", histories, "-o", tmp_path / "results")
    assert result.exit_code == 2
    assert "-o results.json" in result.output


def test_missing_and_damaged_files_are_one_sentence(make_bundle: Callable[..., Path], histories: Path, tmp_path: Path) -> None:
    """No bundle, a cut bundle, no histories and broken histories: exit codes 7 and 3, no traceback."""
    bundle = make_bundle()
    cut = tmp_path / "cut.edgerec"
    cut.write_bytes(bundle.read_bytes()[:300])
    (tmp_path / "broken.jsonl").write_text("{]\n")
    for args, code in (
        ((tmp_path / "no.edgerec", "--histories", histories), 7),
        ((cut, "--histories", histories), 7),
        ((bundle, "--histories", tmp_path / "no.jsonl"), 3),
        ((bundle, "--histories", tmp_path / "broken.jsonl"), 3),
    ):
        result = bench(*args)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output


def test_it_loads_nothing_of_the_host() -> None:
    """The command's module needs numpy and click: no torch, no polars, no matplotlib, no jinja2."""
    heavy = ["torch", "polars", "matplotlib", "jinja2", "onnx", "scipy"]
    code = f"import sys, edge_rec.cli.bench; print(*[name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []
