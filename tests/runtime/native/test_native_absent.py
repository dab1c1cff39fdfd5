"""Without a compiler the package builds all the same, and numpy searches."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]

_SEARCH = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "Editable" not in getattr(finder, "__name__", "")]  # not the checkout
import numpy as np
import edge_rec_runtime
from edge_rec_runtime import Int8Table, kernels, top_k
assert edge_rec_runtime.__file__.startswith(sys.argv[1]), edge_rec_runtime.__file__
rows, scores = top_k(Int8Table.encode(np.eye(4, dtype=np.float32)), np.array([1, 3, 2, 0], np.float32), 2)
print(kernels.active().path, rows.tolist(), kernels.active().reason)
"""


def built(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Build a wheel into a folder, everything that is made on the way in it too."""
    steps = ["egg_info", "--egg-base", str(folder), "build", "--build-base", str(folder / "build")]
    command = [sys.executable, "setup.py", *steps, "bdist_wheel", "--dist-dir", str(folder), "--bdist-dir", str(folder / "bdist")]
    return subprocess.run(command, cwd=_ROOT, env=os.environ | variables, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_without_a_compiler_the_wheel_has_no_kernels_and_numpy_searches(tmp_path: Path) -> None:
    """The build says what failed and goes on; what is installed answers, and says why numpy does."""
    done = built(tmp_path, CC="false", EDGE_REC_REQUIRE_KERNELS="")
    assert done.returncode == 0, done.stderr[-2000:]
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        assert not [name for name in wheel.namelist() if name.endswith((".so", ".pyd", ".c", ".h"))]
        wheel.extractall(tmp_path / "site")
    command = [sys.executable, "-c", _SEARCH, str(tmp_path)]
    around = os.environ | {"PYTHONPATH": str(tmp_path / "site"), "EDGE_REC_KERNELS": ""}
    answer = subprocess.run(command, env=around, capture_output=True, text=True, check=False)
    assert answer.stdout.startswith("numpy [1, 2] the kernels are not installed"), answer.stderr


@pytest.mark.slow
def test_a_build_that_must_have_kernels_fails_without_a_compiler(tmp_path: Path) -> None:
    """Wheels that are handed out are never without, unnoticed."""
    done = built(tmp_path, CC="false", EDGE_REC_REQUIRE_KERNELS="1")
    assert done.returncode != 0
    assert not list(tmp_path.glob("*.whl"))
