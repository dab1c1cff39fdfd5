"""The kernels with AddressSanitizer and UndefinedBehaviorSanitizer, and what a process that loads them needs around it."""

from __future__ import annotations

__all__ = ["NoSanitizerError", "build", "surroundings"]

import os
import shutil
import subprocess
from pathlib import Path

from compiling import FLAGS, sources

_NATIVE = Path(__file__).parents[2] / "runtime" / "edge_rec_runtime" / "_native"
_QUESTIONS = Path(__file__).parents[1] / "emulation"
_FLAGS = ("-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")


class NoSanitizerError(Exception):
    """There is no compiler here that has the sanitizers."""


def build(folder: Path) -> Path:
    """Return the extension, compiled into a folder; as it is where it is newer than every source.

    Raises:
        NoSanitizerError: There is no such compiler.
    """
    made = folder / "_kernels.abi3.so"
    if made.exists() and made.stat().st_mtime > max(one.stat().st_mtime for one in _NATIVE.glob("*.[ch]")):
        return made
    _library()
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", *_FLAGS, *FLAGS, *sources(), "-o", str(made)], check=True)
    return made


def surroundings() -> dict[str, str]:
    """Return the variables of the environment: the sanitizer comes first, each array has memory of its own."""
    options = {"ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
    rest = {"LD_PRELOAD": _library(), "PYTHONMALLOC": "malloc", "EDGE_REC_KERNELS": "off", "PYTHONPATH": str(_QUESTIONS)}
    return os.environ | options | rest


def _library() -> str:
    found = ""
    if shutil.which("gcc"):
        told = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
        found = told.stdout.strip()
    if not Path(found).is_absolute():
        raise NoSanitizerError("the sanitizers need gcc with libasan; install gcc")
    return found
