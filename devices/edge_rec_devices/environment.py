"""Where a measurement was taken: what the machine says of itself, and why it is silent about the rest."""

from __future__ import annotations

__all__ = ["FLAGS", "Environment", "describe"]

import os
import platform
import re
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

# The instruction sets that decide how fast integer products, bit counts and float vectors run; the rest is noise here.
FLAGS = (
    "sse4_2",
    "avx",
    "f16c",
    "fma",
    "avx2",
    "avx_vnni",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_vpopcntdq",
    "amx_int8",
    "asimd",
    "neon",
    "asimdhp",
    "asimddp",
    "i8mm",
    "bf16",
    "sve",
    "hypervisor",
)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A machine and the software on it. What could not be read is None, and ``missing`` says why.

    Attributes:
        cpu: The processor's name, or the board's where the processor has none.
        flags: Those of `FLAGS` that the processor has.
        cores: Processors that the system knows.
        affinity: Numbers of those that this process may run on.
        governor: Frequency policy of the first of them.
        frequency_mhz: Frequency of the first of them when the measurement began.
        load_average: Processes that ran or waited over the last minute when the measurement began; above 0 is noise.
        memory_bytes: Main memory.
        kernel: System and release.
        machine: Instruction set, for example ``x86_64``.
        python: Version of the interpreter.
        packages: Version of each package that took part.
        missing: Why an attribute is None.
    """

    cpu: str | None
    flags: tuple[str, ...]
    cores: int | None
    affinity: tuple[int, ...] | None
    governor: str | None
    frequency_mhz: float | None
    load_average: float | None
    memory_bytes: int | None
    kernel: str
    machine: str
    python: str
    packages: dict[str, str]
    missing: dict[str, str] = field(default_factory=dict)


def describe(*, packages: tuple[str, ...] = ("numpy",), root: Path = Path("/")) -> Environment:
    """Read what can be read, without root rights and without a helper program.

    Args:
        packages: Distributions to name with their versions; those that are not installed are left out.
        root: Where ``proc`` and ``sys`` lie.
    """
    missing: dict[str, str] = {}
    cpuinfo = _text(root / "proc/cpuinfo")
    first = min(_affinity() or (0,))
    cpufreq = root / f"sys/devices/system/cpu/cpu{first}/cpufreq"
    governor = _text(cpufreq / "scaling_governor").strip() or None
    kilohertz = _text(cpufreq / "scaling_cur_freq").strip()
    megahertz = int(kilohertz) / 1000 if kilohertz.isdigit() else _number(_entry(cpuinfo, "cpu MHz"))
    board = _text(root / "proc/device-tree/model").strip("\0 \n")
    memory = re.search(r"^MemTotal:\s+(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    read: dict[str, tuple[object, str]] = {
        "cpu": (_entry(cpuinfo, "model name") or board or platform.processor() or None, "the system does not name it"),
        "cores": (os.cpu_count(), "the system does not say"),
        "affinity": (_affinity(), "this system has no processor affinity"),
        "governor": (governor, f"no {cpufreq}/scaling_governor: the kernel, or the host of this virtual machine, keeps it"),
        "frequency_mhz": (megahertz, f"neither {cpufreq}/scaling_cur_freq nor /proc/cpuinfo tells it"),
        "load_average": (_load(), "this system keeps no load average"),
        "memory_bytes": (int(memory[1]) * 1024 if memory else None, "no MemTotal in /proc/meminfo"),
    }
    missing = {name: reason for name, (value, reason) in read.items() if value is None}
    values = {name: value for name, (value, _) in read.items()}
    have = set((_entry(cpuinfo, "flags") or _entry(cpuinfo, "Features") or "").split())
    return Environment(
        **values,  # type: ignore[arg-type]  # each value comes from the reader of that very attribute
        flags=tuple(flag for flag in FLAGS if flag in have),
        kernel=f"{platform.system()} {platform.release().partition('-')[0]}",  # the rest names a build, not a kernel
        machine=platform.machine(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages=_versions(packages),
        missing=missing,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _entry(cpuinfo: str, name: str) -> str | None:
    found = re.search(rf"^{re.escape(name)}\s*:[ \t]*(\S.*)$", cpuinfo, re.MULTILINE)
    return found[1].strip() if found else None


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d+(\.\d+)?", text) else None


def _affinity() -> tuple[int, ...] | None:
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else None


def _load() -> float | None:
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _versions(names: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
