"""Models of other packages, at the door as their users would bring them: both targets, fp32 and int8, against torch.

Two models run everywhere; ``EDGE_REC_PARITY=1`` runs all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from environments import environment

_RARE = pytest.mark.skipif(not os.environ.get("EDGE_REC_PARITY"), reason="set EDGE_REC_PARITY=1 to run all models")
_HERE = Path(__file__).parent
_ALWAYS = (("rechub", "DeepFM"), ("rechub", "YoutubeDNN"))
_OFTEN = (
    ("rechub", "WideDeep"),
    ("rechub", "DCN"),
    ("rechub", "AutoInt"),
    ("rechub", "DIN"),
    ("recbole", "SASRec"),
    ("recbole", "GRU4Rec"),
)
_MODELS = [
    *(pytest.param(*one, id=":".join(one)) for one in _ALWAYS),
    *(
        pytest.param(
            *one,
            id=":".join(one),
            marks=_RARE,
        )
        for one in _OFTEN
    ),
]


def _found(package: str, name: str, folder: Path) -> dict[str, Any]:
    command = [str(environment(package)), "parity.py", package, name, str(folder)]
    run = subprocess.run(command, cwd=_HERE, capture_output=True, text=True, timeout=900, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("package", "name"), _MODELS)
def test_a_model_of_another_package_converts(tmp_path: Path, package: str, name: str) -> None:
    """fp32 gives torch's answers to 1e-4; int8 stays within its gate with its network in int8; both targets do."""
    found = _found(package, name, tmp_path)
    assert set(found) == {f"{target} {precision}" for target in ("onnx", "tflite") for precision in ("fp32", "int8")}
    for asked, figures in found.items():
        assert figures.get("passed"), (asked, figures)
        if asked.endswith("fp32"):
            assert figures.get("error", 0.0) < 1e-4
            assert figures.get("overlap_at_10", 1.0) > 0.999
        else:
            assert figures["network"].startswith("int8")
            assert figures["model_bytes"] < 0.55 * found[asked.replace("int8", "fp32")]["model_bytes"]


@pytest.mark.slow
@_RARE
def test_a_model_that_fails_for_one_row_is_refused(tmp_path: Path) -> None:
    """torch-rechub's DCNv2 squeezes the batch away where it is 1: one sentence says what was fed and what torch says."""
    found = _found("rechub", "DCNv2", tmp_path)
    assert "dcnv2: the network fails on item int32" in found["refused"]
    assert not list(tmp_path.iterdir())
