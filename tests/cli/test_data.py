"""``edge-rec data``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from edge_rec.cli import main

if TYPE_CHECKING:
    from pathlib import Path

LOG = "user_id,item_id,timestamp\na,x,10\na,y,20\nb,x,30\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of three events."""
    path = tmp_path / "log.csv"
    path.write_text(LOG)
    return path


def test_show_prints_a_table_and_as_json_the_same(log: Path) -> None:
    """Both have users, items, events and quantiles; only JSON is on standard output with --json."""
    table = CliRunner().invoke(main, ["data", "show", str(log)])
    assert table.exit_code == 0
    assert "events per user  min 1, " in table.stdout
    found = json.loads(CliRunner().invoke(main, ["data", "show", str(log), "--json"]).stdout)
    assert (found["users"], found["items"], found["events"], found["density"]) == (2, 2, 3, 0.75)
    assert found["events_per_user"]["max"] == 2


def test_show_after_a_filter(log: Path) -> None:
    """--core shows what training would see."""
    found = json.loads(CliRunner().invoke(main, ["data", "show", str(log), "--core", "1", "--json"]).stdout)
    assert found["events"] == 3
    refused = CliRunner().invoke(main, ["data", "show", str(log), "--core", "5"])
    assert refused.exit_code == 3
    assert "no event is left of 3" in refused.stderr


def test_a_log_that_cannot_be_used_exits_with_3(tmp_path: Path) -> None:
    """One sentence on standard error, nothing on standard output."""
    path = tmp_path / "log.csv"
    path.write_text(LOG + "c,z,-1\n")
    result = CliRunner().invoke(main, ["data", "show", str(path)])
    assert (result.exit_code, result.stdout) == (3, "")
    assert (
        result.stderr
        == f"Error: {path}, line 5: timestamp is '-1'; expected 0 or more, seconds since 1970; correct or remove the line\n"
    )


def test_columns_are_options(tmp_path: Path) -> None:
    """A log with names of its own is shown when they are given."""
    path = tmp_path / "log.csv"
    path.write_text(LOG.replace("user_id", "who").replace("item_id", "what").replace("timestamp", "nth"))
    assert CliRunner().invoke(main, ["data", "show", str(path)]).exit_code == 3
    named = ["--user-column", "who", "--item-column", "what", "--timestamp-column", "nth"]
    assert CliRunner().invoke(main, ["data", "show", str(path), *named]).exit_code == 0


def test_get_knows_its_names(tmp_path: Path) -> None:
    """Another name is a usage error that lists the known, before anything is fetched."""
    result = CliRunner().invoke(main, ["data", "get", "ml-20m", "--folder", str(tmp_path)])
    assert result.exit_code == 2
    assert "'ml-100k', 'ml-1m'" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.data
def test_get_prints_terms_and_citation(tmp_path: Path) -> None:
    """The folder is the result; the terms and whom to cite are told beside it, each time."""
    for _ in range(2):
        result = CliRunner().invoke(main, ["data", "get", "ml-100k", "--folder", str(tmp_path)])
        if "cannot be fetched" in result.stderr:
            pytest.skip(result.stderr)
        assert result.exit_code == 0
        assert result.stdout == f"{tmp_path / 'ml-100k'}\n"
        assert "10.1145/2827872" in result.stderr
        assert "no redistribution" in result.stderr
