"""An Arm device out of packages: Debian's Python and its libraries, numpy's wheel, and the kernels cross-compiled.

Everything is kept in the cache; a test is skipped, with the reason, where a registry is not in reach.
"""

from __future__ import annotations

__all__ = ["arm_kernels", "arm_python"]

import fcntl
import importlib.metadata
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from compiling import FLAGS, sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROOT = Path(__file__).parents[2]
_CACHE = _ROOT / ".cache" / "arm64"
_SECONDS = 300


def arm_python() -> list[str]:
    """Return how an Arm interpreter with numpy is called, below the emulator: its loader's root, itself."""
    root = _CACHE / "root"
    with _once("root") as done:
        if not done.exists():
            _fetch_debian(root)
            python = next((root / "usr" / "bin").glob("python3.*"))
            _fetch_numpy(python.name.removeprefix("python"), root / "site")
            done.touch()
    python = next((root / "usr" / "bin").glob("python3.*"))
    return ["-L", str(root), "-E", f"PYTHONPATH={root / 'site'}", "-E", f"PYTHONHOME={root / 'usr'}", str(python)]


def arm_kernels(folder: Path) -> Path:
    """Return the extension, compiled into a folder for Arm from all of its files."""
    made = folder / "_kernels.abi3.so"
    command = [*_compiler(), "-O2", *FLAGS, *sources("linux-aarch64"), "-o", str(made)]
    caches = dict.fromkeys(("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"), str(_CACHE / "zig-cache"))
    environment = os.environ | caches | {"PYTHONPATH": str(_CACHE / "zig")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return made


def _compiler() -> list[str]:
    """Return a cross compiler: GCC's where it is installed, else Clang from the package index."""
    if found := shutil.which("aarch64-linux-gnu-gcc"):
        return [found]
    with _once("zig") as done:
        if not done.exists():
            pip = [sys.executable, "-m", "pip", "install", "-q", "--constraint", str(_ROOT / "constraints.txt")]
            _or_skip([*pip, "--no-deps", "--target", str(_CACHE / "zig"), "ziglang"], "ziglang, a cross compiler")
            done.touch()
    return [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-gnu.2.28", "-fno-sanitize=undefined"]


def _fetch_debian(root: Path) -> None:
    """Unpack the Python of Debian for arm64 with what it depends on: apt with lists and a state of its own."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        pytest.skip("an Arm Python is put together from Debian's packages, and this system has no apt-get")
    apt = _CACHE / "apt"
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    settings = {
        "Dir::State": apt / "state",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "1",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    _or_skip(["apt-get", "-q", *options, "update"], "Debian's lists for arm64")
    packages = ["install", "-y", "--no-install-recommends", "--download-only", "python3", "libstdc++6"]
    _or_skip(["apt-get", "-q", *options, *packages], "Debian's Python for arm64")
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for package in (apt / "cache" / "archives").glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(root)], check=True, timeout=_SECONDS)


def _fetch_numpy(version: str, site: Path) -> None:
    platforms = [
        word for tag in ("manylinux_2_28", "manylinux_2_27", "manylinux2014") for word in ("--platform", f"{tag}_aarch64")
    ]
    numpy = f"numpy=={importlib.metadata.version('numpy')}"
    wanted = ["--only-binary=:all:", *platforms, "--python-version", version, "--implementation", "cp", "--target", str(site)]
    _or_skip([sys.executable, "-m", "pip", "install", "-q", *wanted, numpy], f"{numpy} for arm64")


def _or_skip(command: Sequence[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        pytest.skip(f"cannot fetch {what}: {reason[:200]}")


@contextmanager
def _once(name: str) -> Iterator[Path]:
    """Yield the mark of something that is made once, while no other process makes it."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield _CACHE / f"{name}.done"
