"""A Python app without our runtime: an engine, numpy, and the graph. Prints JSON.

python benchmarks/retrieving/python_client.py time GRAPH REFERENCE ASKED SECONDS
python benchmarks/retrieving/python_client.py cold GRAPH ASKED

``time`` lets the graph and ONNX Runtime's fp32 graph take turns; ``cold`` is for a fresh process: from opening the file to the
first answer, the engine's import not counted, and the peak memory of the process.
"""

from __future__ import annotations

__all__ = ["main"]

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Answer = Callable[[NDArray[np.int32]], NDArray[np.int32]]


def main(arguments: list[str]) -> None:
    """Print what was measured."""
    what, *paths = arguments
    print(json.dumps(_time(*paths) if what == "time" else _cold(*paths)))


def _time(graph: str, reference: str, asked: str, seconds: str) -> dict[str, Any]:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from scanning.rounds import median_ratio, rounds  # noqa: PLC0415 - an app has none of it

    histories = _histories(asked)
    engines = {name: ENGINES[Path(name).suffix]()(name) for name in dict.fromkeys((graph, reference))}
    found: dict[int, list[int]] = {}

    def seen(name: str, number: int, answer: NDArray[np.int32]) -> None:
        if name == graph:
            found[number] = answer[0].tolist()

    for number, history in enumerate(histories):
        seen(graph, number, engines[graph](history))
    calls = {name: lambda number, engine=engine: engine(histories[number]) for name, engine in engines.items()}
    times = rounds(calls, inputs=len(histories), seconds=float(seconds), seen=seen)
    return {
        "ms": float(np.median(list(times[graph].values()))),
        "reference_ms": float(np.median(list(times[reference].values()))),
        "latency_ratio": median_ratio(times[graph], times[reference]),
        "rounds": len(times[graph]),
        "items": [found[number] for number in range(len(histories))],
    }


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
