"""One case: its client's programs are run, and what they say becomes a row."""

from __future__ import annotations

__all__ = ["PROGRAMS", "recall", "row_of"]

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieving.cases import CLIENTS
from retrieving.catalogues import K

if TYPE_CHECKING:
    from retrieving.cases import Case
    from retrieving.files import Made

_HERE = Path(__file__).parent
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

# client -> its program, which takes what python_client.py takes
PROGRAMS: dict[str, tuple[str, ...]] = {
    "python": (sys.executable, str(_HERE / "python_client.py")),
    "node": ("node", str(_HERE / "node_client.mjs"), "onnxruntime-node"),
    "wasm": ("node", str(_HERE / "node_client.mjs"), "onnxruntime-web"),
    "litert.js": ("node", str(_HERE / "browser_client.mjs"), "litert"),
}


def row_of(case: Case, made: Made, *, seconds: float, processes: int, packages: Path) -> dict[str, Any]:
    """Return the row of a case.

    Args:
        case: What is measured.
        made: Its files.
        seconds: How long graph and reference take turns.
        processes: Fresh ones whose medians are kept.
        packages: The ``node_modules`` of the clients.
    """
    taken = _said(case, packages, "time", made.graph, made.reference, made.asked, seconds)
    cold = [_said(case, packages, "cold", made.graph, made.asked) for _ in range(processes)]
    answers = json.loads(made.asked.read_text())["answers"]
    return {
        "case": case.slug,
        "client": case.client,
        "engine": CLIENTS[case.client].engines[case.target],
        "target": case.target,
        "precision": case.precision,
        "data": case.data,
        "model": case.model,
        "n": case.rows,
        "k": K,
        "ms": taken["ms"],
        "reference_ms": taken["reference_ms"],
        "latency_ratio": taken["latency_ratio"],
        "rounds": taken["rounds"],
        "recall_at_100": recall(taken["items"], answers),
        "histories": len(answers),
        "bytes": made.graph.stat().st_size,
        **{name: median(one[name] for one in cold) for name in ("load_ms", "peak_rss_mb", "engine_rss_mb")},
        "processes": processes,
    }


def recall(found: list[list[int]], exact: list[list[int]]) -> float:
    """Return the mean share of the exact answers that were found."""
    return float(np.mean([len(set(one) & set(other)) / len(other) for one, other in zip(found, exact, strict=True)]))


def _said(case: Case, packages: Path, *arguments: object) -> dict[str, Any]:
    command = [*PROGRAMS[case.client], *map(str, arguments)]
    environment = os.environ | _ONE_THREAD | {"EDGE_REC_NODE_MODULES": str(packages.absolute())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{case.slug}: {' '.join(command)} failed:\n{done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said
