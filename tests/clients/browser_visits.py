"""The example page, served on this machine and visited in a real Chromium."""

from __future__ import annotations

__all__ = ["Browser", "Seen", "chromium", "served"]

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from client_packages import node, node_modules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HERE = Path(__file__).parent
_SERVER = _HERE.parents[1] / "examples" / "browser" / "serve.js"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 600


@dataclass(frozen=True)
class Seen:
    """What a visit showed; `browser_visit.mjs` says what is in each.

    Attributes:
        steps: What is shown when the page is there, and after each step.
        errors: Lines of the console and errors of the page.
        requests: Everything that the page asked a server for.
    """

    steps: list[dict[str, Any]]
    errors: list[str]
    requests: list[dict[str, Any]]


@cache
def chromium() -> str:
    """Return the path of Chromium; where apt may, Debian's is installed, else the test is skipped."""
    if found := _found():
        return found
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        pytest.skip("there is no Chromium on this machine, and nothing that may install one")
    for command in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(
            ["apt-get", "-qq", *command], env=quiet, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        if done.returncode:
            pytest.skip(f"there is no Chromium on this machine, and apt-get cannot fetch one: {done.stderr.strip()[-200:]}")
    found = _found()
    assert found is not None, "apt-get installed chromium, and there is no such command"
    return found


def _found() -> str | None:
    return next((path for path in map(shutil.which, _NAMES) if path is not None), None)


@contextmanager
def served(bundles: Sequence[Path]) -> Iterator[str]:
    """Serve the page with bundles, as its README says, and give the address."""
    command = [node(), str(_SERVER), *map(str, bundles), "--port", "0", "--modules", str(node_modules())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


class Browser:
    """A running Chromium."""

    def __init__(self) -> None:
        command = [node(), str(_HERE / "browser_visit.mjs"), str(node_modules()), chromium()]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def visit(self, url: str, steps: Sequence[Sequence[str]] = (), *, viewport: tuple[int, int] = (390, 844)) -> Seen:
        """Visit a page for the first time, and take steps there."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"url": url, "viewport": viewport, "steps": steps}) + "\n")
        self._process.stdin.flush()
        seen = json.loads(self._process.stdout.readline())
        assert "failed" not in seen, seen["failed"]
        return Seen(**seen)

    def close(self) -> None:
        """Let the browser end."""
        self._process.communicate(timeout=60)
