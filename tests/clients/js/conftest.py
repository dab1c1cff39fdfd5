"""Scripts of this folder, run by node where the reader and the engines are found under their packages' names."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from client_models import converted
from client_packages import node, node_modules

RunNode = Callable[..., list[dict[str, Any]]]

_ROOT = Path(__file__).parents[3]
_SECONDS = 240
sys.path.insert(0, str(_ROOT / "tests" / "runtime"))  # what rewrites bundles

_ENGINES = ("onnxruntime-node", "onnxruntime-web", "onnxruntime-common")


@pytest.fixture(scope="session")
def node_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder from which scripts import ``edgerec`` and, where they could be fetched, the engines."""
    home = tmp_path_factory.mktemp("node")
    (home / "package.json").write_text('{"type": "module"}')
    (home / "node_modules").mkdir()
    (home / "node_modules" / "edgerec").symlink_to(_ROOT / "clients" / "js")
    return home


@pytest.fixture(scope="session")
def engines(node_home: Path) -> tuple[str, ...]:
    """Put the engines beside the reader; skip where they cannot be fetched."""
    for name in _ENGINES:
        (node_home / "node_modules" / name).symlink_to(node_modules() / name)
    return _ENGINES[:2]


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return bundles of a small model with its whole graph, by precision."""
    return converted(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="session")
def run_node(node_home: Path) -> RunNode:
    """Return a caller of scripts: each is given lines of JSON and gives back one for each."""

    def run(script: Path | str, requests: Sequence[object] = (), *arguments: str) -> list[dict[str, Any]]:
        source = script.read_text() if isinstance(script, Path) else script
        place = node_home / "script.mjs"
        place.write_text(source)
        lines = "".join(json.dumps(request) + "\n" for request in requests)
        command = [node(), str(place), *arguments]
        done = subprocess.run(command, cwd=node_home, input=lines, capture_output=True, text=True, timeout=_SECONDS, check=False)
        assert done.returncode == 0, f"node ended with {done.returncode}:\n{done.stderr[-3000:]}"
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run
