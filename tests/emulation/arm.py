"""An Arm device out of packages: Debian's Python and its libraries, wheels, and the kernels cross-compiled.

Everything is kept in the cache; a test is skipped, with the reason, where a registry is not in reach.
"""

from __future__ import annotations

__all__ = ["arm_kernels", "arm_python", "arm_runtime"]

import fcntl
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
_ENGINES = ("numpy", "onnxruntime", "ai-edge-litert")


def arm_python() -> list[str]:
    """Return how an Arm interpreter with numpy is called, below the emulator: its loader's root, itself."""
    root = _CACHE / "root"
    with _once("root") as done:
        if not done.exists():
            _fetch_debian(root)
            _fetch_wheels(root / "site", "numpy")
            done.touch()
    return _called(root / "site")


def arm_runtime(folder: Path) -> list[str]:
    """Return how an Arm interpreter is called that has our runtime, put into a folder with its kernels, and both engines."""
    arm_python()
    engines = _CACHE / "engines"
    with _once("engines") as done:
        if not done.exists():
            shutil.rmtree(engines, ignore_errors=True)
            _fetch_wheels(engines, *_ENGINES)
            done.touch()
    runtime = folder / "edge_rec_runtime"
    shutil.copytree(_ROOT / "runtime" / runtime.name, runtime, ignore=shutil.ignore_patterns("*.so", "__pycache__", "_native"))
    arm_kernels(runtime)
    return _called(folder, engines)


def _called(*packages: Path) -> list[str]:
    root = _CACHE / "root"
    path = os.pathsep.join(map(str, packages))
    return ["-L", str(root), "-E", f"PYTHONPATH={path}", "-E", f"PYTHONHOME={root / 'usr'}", str(_interpreter())]


def _interpreter() -> Path:
    return next((_CACHE / "root" / "usr" / "bin").glob("python3.*"))


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


def _fetch_wheels(site: Path, *names: str) -> None:
    """Install packages, and what they need, in the versions that this release is measured with."""
    version = _interpreter().name.removeprefix("python")
    tags = [f"manylinux_2_{minor}_aarch64" for minor in (28, 27, 17)] + ["manylinux2014_aarch64"]
    wanted = [word for tag in tags for word in ("--platform", tag)]
    wanted += ["--only-binary=:all:", "--python-version", version, "--implementation", "cp", "--target", str(site)]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--constraint", str(_ROOT / "constraints.txt")]
    _or_skip([*pip, *wanted, *names], f"{', '.join(names)} for arm64")


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
