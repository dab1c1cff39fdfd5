"""Emulators of other processors: those on the path, or Debian's, unpacked into the cache without any rights."""

from __future__ import annotations

__all__ = ["emulator"]

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

_CACHE = Path(__file__).parents[2] / ".cache" / "qemu-user"


def emulator(name: str = "qemu-x86_64") -> Path:
    """Return the program, or skip the test with the reason."""
    if platform.machine() != "x86_64":
        pytest.skip(f"this machine is {platform.machine()}; the claim is about what x86-64 computes")
    if found := shutil.which(name) or shutil.which(f"{name}-static"):
        return Path(found)
    unpacked = _CACHE / "usr" / "bin" / name
    if not unpacked.exists():
        _fetch()
    if not _runs(unpacked):
        pytest.skip(f"no {name} on the path, and apt-get could not fetch one that runs; install the package qemu-user")
    return unpacked


def _runs(program: Path) -> bool:
    """Return whether it is there, with the libraries that it needs."""
    return program.exists() and subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0


def _fetch() -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return
    _CACHE.mkdir(parents=True, exist_ok=True)
    got = subprocess.run(["apt-get", "download", "qemu-user"], cwd=_CACHE, capture_output=True, timeout=300, check=False)
    for package in _CACHE.glob("*.deb") if got.returncode == 0 else ():
        subprocess.run(["dpkg", "-x", str(package), str(_CACHE)], capture_output=True, timeout=300, check=False)
