"""What docs/read-the-report.md shows can be typed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from edge_rec.cli import main
from edge_rec_runtime import History, write_histories

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = (Path(__file__).parents[2] / "docs" / "read-the-report.md").read_text(encoding="utf-8")


def test_the_python_example_runs(make_bundle: Callable[..., Path], tmp_path: Path) -> None:
    """The lines of the page, with less time, measure two bundles and write what they name."""
    make_bundle(name="a.edgerec")
    make_bundle(name="b.edgerec", precision="int8")
    write_histories(tmp_path / "test.jsonl", [History(("i1", "i2")), History(("i3",))])
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    quick = example.replace("seconds=5", "seconds=0.1, cold_starts=1")
    assert quick != example
    subprocess.run([sys.executable, "-c", quick], cwd=tmp_path, check=True, capture_output=True)
    assert {"results.json", "report.html", "rows.json"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("line", re.findall(r"^edge-rec (.+)$", TEXT, re.MULTILINE))
def test_the_commands_are_commands(line: str) -> None:
    """Every option shown is one that the command knows; ``--help`` keeps it from working."""
    result = CliRunner().invoke(main, [*shlex.split(line), "--help"])
    assert result.exit_code == 0, result.output
