"""Node with the packages that the clients' tests run, installed once from the lock file and kept in the cache."""

from __future__ import annotations

__all__ = ["node", "node_modules"]

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_CACHE = Path(os.environ.get("EDGE_REC_CLIENTS", _HERE.parents[1] / ".cache" / "clients"))
_FILES = ("package.json", "package-lock.json")
_SECONDS = 900
_OLDEST = 18  # what clients/js is written for


def node() -> str:
    """Return the path of node; skip where there is none, or one that is too old."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no node on this machine")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < _OLDEST:
        pytest.skip(f"node is {version} on this machine, and the client is written for {_OLDEST} and later")
    return found


def node_modules() -> Path:
    """Return the folder with the packages, made at the first call and kept; skip where no registry is in reach."""
    node()
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes share the tests: one installs, the others wait
        wanted = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _FILES)).hexdigest()
        done = _CACHE / "installed.txt"
        if not (done.is_file() and done.read_text() == wanted):
            done.unlink(missing_ok=True)
            _install()
            done.write_text(wanted)
    return _CACHE / "node_modules"


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is node on this machine and no npm")
    for name in _FILES:
        shutil.copy(_HERE / name, _CACHE / name)
    quick = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000"]
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", *quick]
    made = subprocess.run(command, cwd=_CACHE, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if made.returncode and _out_of_reach(made.stderr):
        pytest.skip(f"the packages of tests/clients/package.json cannot be fetched here: {_reason(made.stderr)}")
    assert made.returncode == 0, made.stderr[-3000:]


def _out_of_reach(text: str) -> bool:
    """Tell a registry that does not answer from a lock file that does not fit, which is a fault to be shown."""
    return any(
        code in text for code in ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "ECONNRESET", "EAI_AGAIN", "E403", "E404", "E503")
    )


def _reason(text: str) -> str:
    lines = [line for line in text.splitlines() if "code" in line or "network" in line]
    return (lines or text.strip().splitlines() or ["no reason given"])[0][:200]
