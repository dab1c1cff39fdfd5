"""Fresh processes: from exec to the first answer of ours, and to the end of an import of what others need.

Time counts from just before exec; memory is VmHWM, the peak of the process itself. Both are also said above a bare ``python -I``,
which every Python app pays. Processes take turns, and medians are kept.
"""

from __future__ import annotations

__all__ = ["cold_starts"]

import json
import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from edge_rec_devices.fresh import Fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

BARE = "python -I"
_BACKENDS = {"onnx": "onnxruntime", "tflite": "litert"}
_ENDED = """
import time
ended = time.monotonic_ns()
status = open("/proc/self/status").read()
print(ended, status.split("VmHWM:")[1].split()[0])
"""


def cold_starts(
    bundles: Mapping[str, Path], history: Sequence[str], *, peers: Path | None, times: int
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Start every process some times, in turn.

    Args:
        bundles: The bundle for each target.
        history: What is asked first.
        peers: A Python interpreter that has faiss, or None.
        times: How often.

    Returns:
        A row each, and for what could not be started the reason.
    """
    runs: dict[str, Callable[[], tuple[float, float]]] = {BARE: lambda: _imported(sys.executable, "")}
    for target, bundle in bundles.items():
        runs[f"edge-rec {target} int8, first answer"] = lambda bundle=bundle, target=target: _answered(bundle, target, history)
    skipped: dict[str, str] = {}
    for module in ("numpy", "onnxruntime", "ai_edge_litert.interpreter", "torch", "faiss"):
        python = str(peers) if module == "faiss" else sys.executable
        if module == "faiss" and peers is None:
            skipped["import faiss"] = "no interpreter with faiss-cpu was named, see --peers"
            continue
        runs[f"import {module}"] = lambda python=python, module=module: _imported(python, f"import {module}")
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(times):
        for name, run in list(runs.items()):
            try:
                found[name].append(run())
            except (OSError, subprocess.CalledProcessError) as error:
                skipped[name] = f"it cannot be started ({error})"
                del runs[name]
    medians = {name: tuple(median(column) for column in zip(*taken, strict=True)) for name, taken in found.items() if taken}
    bare_ms, bare_mb = medians[BARE]
    rows = [
        {
            "case": "cold start",
            "way": name,
            "ms": ms,
            "above_python_ms": ms - bare_ms,
            "peak_mb": mb,
            "above_python_mb": mb - bare_mb,
            "processes": len(found[name]),
        }
        for name, (ms, mb) in medians.items()
    ]
    return rows, skipped


def _answered(bundle: Path, target: str, history: Sequence[str]) -> tuple[float, float]:
    found = Fresh().answer(bundle, [{"history": list(history)}], opener="Recommender", backend=_BACKENDS[target], threads=1, k=10)
    return found.total_ms, (found.first_answer_rss or 0) / 1e6


def _imported(python: str, code: str) -> tuple[float, float]:
    started = time.monotonic_ns()
    done = subprocess.run([python, "-I", "-c", code + _ENDED], capture_output=True, check=True, text=True, timeout=300)
    ended, kilobytes = json.loads("[" + ",".join(done.stdout.split()) + "]")
    return (ended - started) / 1e6, kilobytes * 1024 / 1e6
