"""An emulator that is new enough for inference engines: the one on the path, or that of Debian 13, unpacked into the cache.

QEMU 7.2, Debian 12's, ends ONNX Runtime for Arm with a segmentation fault and miscounts LiteRT's integers on ``-cpu max``;
QEMU 10 does neither. Kernels alone run on either, and are tested with whichever is there.
"""

from __future__ import annotations

__all__ = ["recent_emulator"]

import fcntl
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

_LEAST = 10
_CACHE = Path(__file__).parents[2] / ".cache" / "qemu-user-10"
_RELEASE = "trixie"
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SECONDS = 300


def recent_emulator(name: str) -> Path:
    """Return the program ``qemu-aarch64`` or ``qemu-x86_64``, or skip the test with the reason."""
    if platform.machine() != "x86_64":
        pytest.skip(f"this machine is {platform.machine()}; devices are emulated on x86-64")
    for found in map(shutil.which, (name, f"{name}-static")):
        if found and _version(Path(found)) >= _LEAST:
            return Path(found)
    unpacked = _CACHE / "usr" / "bin" / name
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not unpacked.exists():
            _fetch()
    if not (unpacked.exists() and _version(unpacked) >= _LEAST):
        pytest.skip(f"what was unpacked holds no {name} of version {_LEAST} that runs here; install QEMU {_LEAST} or newer")
    return unpacked


def _version(program: Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\d+)", said)
    return int(found[1]) if found else 0


def _fetch() -> None:
    """Unpack the package, by apt with lists and a state of its own, from the mirror that this system uses."""
    if not (shutil.which("apt-get") and shutil.which("dpkg") and _KEYS.exists()):
        pytest.skip(f"no QEMU {_LEAST} on the path, and it can be fetched on Debian only; install QEMU {_LEAST} or newer")
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (_CACHE / folder).mkdir(parents=True, exist_ok=True)
    (_CACHE / "status").touch()
    (_CACHE / "sources.list").write_text(f"deb [signed-by={_KEYS}] {_mirror()} {_RELEASE} main\n", encoding="utf-8")
    settings = {
        "Dir::Etc::sourcelist": _CACHE / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": _CACHE / "state",
        "Dir::State::status": _CACHE / "status",
        "Dir::Cache": _CACHE / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "1",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    for command in (["update"], ["download", "qemu-user"]):
        _run(["apt-get", "-q", *options, *command], f"QEMU {_LEAST} for the emulation of devices")
    for package in _CACHE.glob("qemu-user_*.deb"):
        _run(["dpkg", "-x", str(package), str(_CACHE)], "QEMU's package")
        package.unlink()


def _mirror() -> str:
    """Return where apt gets this system's own release from."""
    told = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN)", "Created-By: Packages"]
    lines = subprocess.run(told, capture_output=True, text=True, check=False).stdout.splitlines()
    mirrors = [line.split()[0] for line in lines if line.endswith(" Debian") and "security" not in line]
    if not mirrors:
        pytest.skip(f"no QEMU {_LEAST} on the path, and apt-get knows no mirror of Debian to fetch it from")
    return mirrors[0]


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, cwd=_CACHE, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        pytest.skip(f"cannot fetch {what}: {reason[:200]}")
