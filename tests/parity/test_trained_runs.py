"""Models trained on real data, where their run directories are at hand, pass the gates in every precision.

``edge-rec train`` and ``benchmarks/quality.py`` make the run directories; they hold MovieLens and are in no repository.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_rec.models import load_run
from edge_rec_converters import Examples, convert, prepare
from edge_rec_runtime import Precision, read_histories

_RUNS = Path(__file__).parents[2] / "runs"
_FOUND = sorted(one.parent for part in ("quality", "ranking") for one in (_RUNS / part / "ml-100k").glob("*/config.json"))
_PRECISIONS = {
    "retriever": ("fp32", "fp16", "int8", "items=int4,network=int8", "binary", "binary-only"),
    "neighbours": ("fp32", "int8"),
    "ranker": ("fp32", "fp16", "int8", "items=int4,network=int8", "binary-only"),
}


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("EDGE_REC_PARITY"), reason="set EDGE_REC_PARITY=1 to convert trained runs")
@pytest.mark.skipif(not _FOUND, reason="no run directory in runs/quality/ml-100k or runs/ranking/ml-100k; train some")
@pytest.mark.parametrize("run", [pytest.param(one, id=one.name) for one in _FOUND])
def test_a_trained_model_passes_its_gates(run: Path, tmp_path: Path) -> None:
    """Fitted to the validation part and judged on the test part: both targets, every precision, each failure named."""
    source, heldout = load_run(run).source(), run / "heldout"
    if source.kind == "ranker":
        fitted = Examples.load(heldout / "validation.safetensors")
        made = prepare(source, examples=Examples.load(heldout / "test.safetensors"), calibration=fitted)
    else:
        made = prepare(source, read_histories(heldout / "test.jsonl"), calibration=read_histories(heldout / "validation.jsonl"))
    failed = []
    for target in ("onnx", "tflite"):
        for precision in _PRECISIONS[source.kind]:
            done = convert(
                made, target=target, precision=Precision.parse(precision), output=tmp_path / "one", gate=_any(source.kind)
            )
            verdict = made.measure(done.path, on="test", gate=made.gate(done.precision), progress=lambda *_: None)
            failed += [f"{target} {precision}: {failure}" for failure in verdict.failures]
    assert not failed, "\n".join(failed)


def _any(kind: str) -> float:
    """Return the gate that everything passes."""
    return 1.0 if kind == "ranker" else 0.0
