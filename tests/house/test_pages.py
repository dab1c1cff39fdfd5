"""The pages keep their word: the code in the README runs, the links lead somewhere, every command shown exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge_rec.cli import COMMANDS
from edge_rec.data import get
from edge_rec_runtime.errors import EdgeRecError

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced code of one language."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


@pytest.mark.slow
@pytest.mark.data
def test_the_code_in_the_readme_runs(tmp_path: Path) -> None:
    """Host and device code work as printed, one after the other; only the training is cut to one epoch."""
    datasets = Path(os.environ.get("EDGE_REC_DATASETS", ROOT / "datasets"))
    try:
        get("ml-100k", datasets)
    except EdgeRecError as error:
        pytest.skip(f"MovieLens-100K is out of reach: {error}")
    (tmp_path / "datasets").symlink_to(datasets)
    short = 'Request(model="sasrec", training={"epochs": 1})'
    host, device = blocks(ROOT / "README.md", "python")
    assert 'Request(model="sasrec")' in host
    for code in (host.replace('Request(model="sasrec")', short), device):
        run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        assert run.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file of this repository."""
    links = re.findall(r"\]\(([^)#\s]+)\)", page.read_text())
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_pages_exist(page: Path) -> None:
    """Every `edge-rec` command that a page shows is one."""
    shown = {name for code in blocks(page, "(?:sh)?") for name in re.findall(r"^edge-rec ([a-z]+)", code, flags=re.MULTILINE)}
    assert shown <= set(COMMANDS)
