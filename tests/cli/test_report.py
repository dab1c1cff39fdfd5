"""``edge-rec report`` turns result files into a page, or says which file is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from edge_rec.cli import main
from edge_rec_devices import Plan, measure, save_results
from edge_rec_runtime import History

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def results(make_bundle: Callable[..., Path], tmp_path: Path) -> Path:
    """Give a result file of a real measurement."""
    path = tmp_path / "r.json"
    save_results(path, measure([make_bundle()], [History(("i1", "i2"))], plan=Plan(seconds=0.05, cold_starts=1)))
    return path


def report(*args: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["report", *map(str, args)])


def test_one_and_several_files_become_one_page(results: Path, tmp_path: Path) -> None:
    """All results of all files, in the order given, in the page and in the rows."""
    page, rows = tmp_path / "out.html", tmp_path / "rows.json"
    result = report(results, results, "-o", page, "--json-out", rows)
    assert result.exit_code == 0, result.output
    assert page.read_text(encoding="utf-8").count("<svg") > 2
    assert [row["bundle"] for row in json.loads(rows.read_text())["rows"]] == ["small.edgerec"] * 2


def test_json_is_the_rows(results: Path, tmp_path: Path) -> None:
    """``--json`` prints them and nothing else on standard output."""
    result = report(results, "-o", tmp_path / "out.html", "--json")
    assert [row["target"] for row in json.loads(result.stdout)] == ["onnx"]


def test_measurements_are_not_written_over(results: Path, tmp_path: Path) -> None:
    """A page or rows in the place of a result, or of each other, is a usage error; the result stays."""
    before, page = results.read_bytes(), tmp_path / "out.html"
    for places in (("-o", results), ("-o", page, "--json-out", results), ("-o", page, "--json-out", page)):
        refused = report(results, *places)
        assert refused.exit_code == 2
        assert "would be written over" in refused.output
    assert results.read_bytes() == before
    assert not page.exists()


@pytest.mark.parametrize("text", ["", "{}", '{"schema": 9, "results": []}', '{"schema": 1, "results": [{}]}'])
def test_a_file_that_is_no_result_leaves_no_page(tmp_path: Path, text: str) -> None:
    """Exit code 10, the file's name, no page."""
    (tmp_path / "bad.json").write_text(text)
    result = report(tmp_path / "bad.json", "-o", tmp_path / "out.html")
    assert result.exit_code == 10
    assert "bad.json" in result.output
    assert not (tmp_path / "out.html").exists()


def test_a_missing_package_is_named(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a device without jinja2 the message has the pip command, the exit code is that of missing packages."""
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    result = report(results, "-o", tmp_path / "out.html")
    assert result.exit_code == 8
    assert "pip install 'edge-rec[host]'" in result.output
    assert not (tmp_path / "out.html").exists()
