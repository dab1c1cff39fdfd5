"""Fresh processes: how long a person waits for the first answer after starting an app, and what it costs in memory.

Each figure is of a new ``python -I`` that ran nothing before. The time of a start counts from just before exec, on the
monotonic clock that both processes share; the parent's own work is not in it.
"""

from __future__ import annotations

__all__ = ["ENGINES", "Engine", "Fresh", "FreshAnswer", "FreshIdle"]

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import edge_rec_runtime
from edge_rec_devices._schema import decode
from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAM = Path(__file__).with_name("_fresh_program.py")


@dataclass(frozen=True, kw_only=True)
class Engine:
    """What loading an engine alone imports, and the distribution that its version is asked of."""

    module: str
    distribution: str


ENGINES: dict[str, Engine] = {
    "onnxruntime": Engine(module="onnxruntime", distribution="onnxruntime"),
    "litert": Engine(module="ai_edge_litert.interpreter", distribution="ai-edge-litert"),
    "tflite-runtime": Engine(module="tflite_runtime.interpreter", distribution="tflite-runtime"),
    "numpy": Engine(module="numpy", distribution="numpy"),  # tables of neighbours have no graph
}


@dataclass(frozen=True, kw_only=True)
class FreshAnswer:
    """One process from exec to its first answer. Times in ms; memory in bytes, None where the system does not tell."""

    total_ms: float
    python_ms: float
    import_ms: float
    open_ms: float
    first_request_ms: float
    peak_rss: int | None
    first_answer_rss: int | None
    mapped: int | None


@dataclass(frozen=True, kw_only=True)
class FreshIdle:
    """One process from exec to the end of its imports, in ms; memory in bytes, None where the system does not tell."""

    total_ms: float
    peak_rss: int | None


@dataclass(frozen=True)
class _Idle:
    started: int
    done: int
    peak_rss: int | None


@dataclass(frozen=True)
class _Answered(_Idle):
    imported: int
    opened: int
    answered: int
    first_answer_rss: int | None
    mapped: int | None


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """Starts processes on this machine, one after the other, without a shell.

    Attributes:
        timeout: Seconds after which a process is killed.
    """

    timeout: float = 120.0

    def answer(
        self, bundle: Path, requests: Sequence[Mapping[str, object]], *, opener: str, backend: str, threads: int, k: int
    ) -> FreshAnswer:
        """Open a bundle and answer requests in a new process; only the first answer counts for the times.

        Args:
            bundle: The file.
            requests: What the answering method takes by name, besides k.
            opener: ``Recommender`` or ``Ranker``.
            backend: As for `Recommender.open`.
            threads: As there.
            k: Items asked for.

        Raises:
            MeasurementError: The process failed, took too long, or said what cannot be read.
        """
        request = {
            "roots": [str(Path(edge_rec_runtime.__file__).parents[1])],
            "opener": opener,
            "bundle": str(bundle.resolve()),
            "backend": backend,
            "threads": threads,
            "k": k,
            "requests": [dict(one) for one in requests],
        }
        launched, reply = self._run("answer", json.dumps(request))
        said = decode(reply, _Answered, where=f"the process that answered from {bundle.name}")
        return FreshAnswer(
            total_ms=(said.answered - launched) / 1e6,
            python_ms=(said.started - launched) / 1e6,
            import_ms=(said.imported - said.started) / 1e6,
            open_ms=(said.opened - said.imported) / 1e6,
            first_request_ms=(said.answered - said.opened) / 1e6,
            peak_rss=said.peak_rss,
            first_answer_rss=said.first_answer_rss,
            mapped=said.mapped,
        )

    def idle(self, module: str) -> FreshIdle:
        """Import numpy and ``module`` in a new process and stop; ``"python"`` imports nothing.

        Raises:
            MeasurementError: As for `answer`.
        """
        launched, reply = self._run(module, "")
        said = decode(reply, _Idle, where=f"the process that imported {module}")
        return FreshIdle(total_ms=(said.done - launched) / 1e6, peak_rss=said.peak_rss)

    def _run(self, task: str, request: str) -> tuple[int, object]:
        command = [sys.executable, "-I", str(PROGRAM), task]
        launched = time.monotonic_ns()
        try:
            # subprocess.run kills and reaps the process when it takes too long and when Ctrl-C interrupts the wait.
            done = subprocess.run(  # noqa: S603 - our own program, no shell
                command, input=request, capture_output=True, encoding="utf-8", errors="replace", timeout=self.timeout, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise MeasurementError(
                f"a fresh process ({task}) did not answer within {self.timeout:g} s and was stopped; is the machine busy?"
            ) from error
        if done.returncode:
            cause = done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
            raise MeasurementError(
                f"a fresh process ({task}) failed: {cause}; try the bundle with 'edge-rec recommend' or 'edge-rec rank' first"
            )
        try:
            return launched, json.loads(done.stdout)
        except ValueError as error:
            raise MeasurementError(
                f"a fresh process ({task}) answered {done.stdout[:40]!r}, expected one JSON object; "
                f"{sys.executable} must be a plain Python"
            ) from error
