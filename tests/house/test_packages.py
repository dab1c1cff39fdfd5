"""The rules of the house that a machine can hold: public surfaces, file sizes, what may be said."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("edge_rec", "edge_rec_converters", "edge_rec_devices", "edge_rec_runtime")


def modules() -> list[str]:
    """Return every module of the four packages that is written in Python."""
    found = []
    for name in PACKAGES:
        package = importlib.import_module(name)
        found.append(name)
        found.extend(info.name for info in pkgutil.walk_packages(package.__path__, prefix=f"{name}."))
    return [name for name in found if not name.endswith(("__main__", "_kernels"))]


@pytest.mark.parametrize("name", modules())
def test_every_module_says_what_it_offers(name: str) -> None:
    """Each module has a docstring and an ``__all__`` whose names exist."""
    module = importlib.import_module(name)
    assert module.__doc__
    missing = [public for public in module.__all__ if not hasattr(module, public)]
    assert not missing


@pytest.mark.parametrize("package", ["edge_rec", "edge_rec_devices", "edge_rec_runtime"])
def test_importing_a_package_brings_in_nothing_heavy(package: str) -> None:
    """The top level of what a device may import brings in neither torch, nor polars, nor an inference engine, nor matplotlib."""
    heavy = ["torch", "polars", "onnx", "onnxruntime", "ai_edge_litert", "matplotlib", "scipy"]
    code = f"import sys, {package}; print(*[name for name in {heavy!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_source_files_are_short() -> None:
    """No source file has more than 400 lines: each has one job."""
    tracked = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    long = {name: count for name in tracked.stdout.split() if (count := len((ROOT / name).read_text().splitlines())) > 400}
    assert not long
