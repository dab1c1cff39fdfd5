"""An environment for each foreign package: its own packages on top of this one's, so that torch is there once."""

from __future__ import annotations

__all__ = ["REQUIREMENTS", "environment"]

import fcntl
import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

_HOME = Path(os.environ.get("EDGE_REC_STRANGERS", Path(sys.prefix) / "strangers"))
_SECONDS = 600

# The versions that the models of this folder were written for; what else they need comes with them.
REQUIREMENTS: dict[str, str] = {"rechub": "torch-rechub==0.9.0", "recbole": "recbole==1.2.1"}


def environment(package: str) -> Path:
    """Return the Python of a package's environment, made at the first call and kept; skip where no index is in reach."""
    _HOME.mkdir(parents=True, exist_ok=True)
    with (_HOME / f"{package}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes share the tests: one makes it, the others wait
        return _environment(package)


def _environment(package: str) -> Path:
    home = _HOME / package
    python, stamp = home / "bin" / "python", home / "requirement.txt"
    if stamp.is_file() and stamp.read_text() == REQUIREMENTS[package]:
        return python
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    inner = next((home / "lib").glob("python*")) / "site-packages"
    shared = [path for path in site.getsitepackages() if Path(path).is_dir()]
    (inner / "shared.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in shared))
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENTS[package]]
    made = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if made.returncode:
        shutil.rmtree(home, ignore_errors=True)
        reason = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
        pytest.skip(f"{REQUIREMENTS[package]} cannot be installed here: {reason[:200]}")
    stamp.write_text(REQUIREMENTS[package])
    return python
