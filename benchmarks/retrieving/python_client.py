"""A Python app without our runtime: an engine, numpy, and the graph. Prints JSON.

python benchmarks/retrieving/python_client.py time GRAPH REFERENCE ASKED SECONDS
python benchmarks/retrieving/python_client.py cold GRAPH ASKED

``time`` lets the graph and ONNX Runtime's fp32 graph take turns, and a turn counts its fastest answer, since other processes
interrupt long ones more often than short ones; ``cold`` is for a fresh process: from opening the file to the
first answer, the engine's import not counted, and the peak memory of the process.
"""

from __future__ import annotations

__all__ = ["main"]

import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Answer = Callable[[NDArray[np.int32]], NDArray[np.int32]]


_LEAST_ROUNDS = 9
_TURN = 5  # answers that count


def main(arguments: list[str]) -> None:
    """Print what was measured."""
    what, *paths = arguments
    print(json.dumps(_time(*paths) if what == "time" else _cold(*paths)))


def _time(graph: str, reference: str, asked: str, seconds: str) -> dict[str, Any]:
    histories = _histories(asked)
    answers = {name: ENGINES[Path(name).suffix]()(name) for name in dict.fromkeys((graph, reference))}
    items = [answers[graph](history)[0].tolist() for history in histories]
    times: dict[str, list[float]] = {name: [] for name in answers}
    end, place = time.perf_counter() + float(seconds), 0
    while time.perf_counter() < end or place < _LEAST_ROUNDS:
        for name in list(answers) if place % 2 else list(reversed(answers)):
            times[name].append(_turn(answers[name], histories, place * _TURN))
        place += 1
    ratios = [one / other for one, other in zip(times[graph], times[reference], strict=True)]
    return {
        "ms": median(times[graph]),
        "reference_ms": median(times[reference]),
        "latency_ratio": median(ratios),
        "rounds": len(ratios),
        "items": items,
    }


def _turn(answer: Answer, histories: list[NDArray[np.int32]], first: int) -> float:
    """Return the least milliseconds of some answers; one before them warms the caches."""
    taken = []
    for number in range(first, first + 1 + _TURN):
        started = time.perf_counter()
        answer(histories[number % len(histories)])
        taken.append(time.perf_counter() - started)
    return min(taken[1:]) * 1e3


def _cold(graph: str, asked: str) -> dict[str, Any]:
    history, opener = _histories(asked)[0], ENGINES[Path(graph).suffix]()
    engine_mb, started = _peak_mb(), time.perf_counter()
    opener(graph)(history)
    return {"load_ms": (time.perf_counter() - started) * 1e3, "peak_rss_mb": _peak_mb(), "engine_rss_mb": engine_mb}


def _histories(path: str) -> list[NDArray[np.int32]]:
    return [np.array([one], np.int32) for one in json.loads(Path(path).read_text())["histories"]]


def _peak_mb() -> float:
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def _onnxruntime() -> Callable[[str], Answer]:
    import onnxruntime  # noqa: PLC0415 - one engine a process

    def opened(path: str) -> Answer:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return lambda history: session.run(["items", "scores"], {"history": history})[0]  # type: ignore[no-any-return]

    return opened


def _litert() -> Callable[[str], Answer]:
    from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - one engine a process

    def opened(path: str) -> Answer:
        engine = Interpreter(model_path=path, num_threads=1)
        engine.allocate_tensors()
        (given,) = engine.get_input_details()
        items, scores = (
            next(one["index"] for one in engine.get_output_details() if name in one["name"]) for name in ("items", "scores")
        )

        def answer(history: NDArray[np.int32]) -> NDArray[np.int32]:
            engine.set_tensor(given["index"], history)
            engine.invoke()
            engine.get_tensor(scores)
            return engine.get_tensor(items)  # type: ignore[no-any-return]

        return answer

    return opened


# ending of a file -> what imports its engine and returns what opens a graph
ENGINES: dict[str, Callable[[], Callable[[str], Answer]]] = {".onnx": _onnxruntime, ".tflite": _litert}

if __name__ == "__main__":
    main(sys.argv[1:])
