"""The engines that apps run a retriever graph with, as bare as an app has them."""

from __future__ import annotations

__all__ = ["ENGINES", "Run", "open_retriever"]

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_rec_converters.sentences import first_line
from edge_rec_converters.session import open_session
from edge_rec_runtime.errors import BackendError, EdgeRecError, require

_OUTPUTS = ("items", "scores")

# Inputs by name -> items [batch, k] int32 and scores [batch, k] float32.
Run: TypeAlias = Callable[[Mapping[str, NDArray[Any]]], tuple[NDArray[np.int32], NDArray[np.float32]]]


def open_retriever(target: str, graph: bytes) -> Run:
    """Open a retriever graph with the engine of its target.

    Raises:
        BackendError: The engine cannot open it; what is returned raises it where the engine cannot run it.
    """
    backend, load = ENGINES[target]
    opened = _guarded(backend, "open", load, graph)

    def run(inputs: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        items, scores = _guarded(backend, "run", opened, inputs)
        batch = len(inputs["history"])
        if items.shape[:-1] != (batch,) or scores.shape != items.shape or items.dtype != np.int32 or scores.dtype != np.float32:
            raise BackendError(
                f"the {target} retriever graph gives items {items.dtype} {list(items.shape)} and scores {scores.dtype} "
                f"{list(scores.shape)} for {batch} histories; expected int32 and float32 [{batch}, k], convert the model again"
            )
        return items, scores

    return run


def _onnx(graph: bytes) -> Run:
    session = open_session(graph)

    def run(inputs: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        items, scores = session.run(list(_OUTPUTS), dict(inputs))
        return items, scores

    return run


def _tflite(graph: bytes) -> Run:
    engine = require("ai_edge_litert.interpreter", extra="litert", purpose="running a retriever graph")
    runner = engine.Interpreter(model_content=graph, num_threads=1).get_signature_runner()

    def run(inputs: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        found = runner(**inputs)
        return found["items"], found["scores"]

    return run


# target -> the runtime's backend with the same engine, and what opens a graph
ENGINES: dict[str, tuple[str, Callable[[bytes], Run]]] = {
    "onnx": ("onnxruntime", _onnx),
    "tflite": ("litert", _tflite),
}


def _guarded(backend: str, what: str, call: Callable[[Any], Any], given: object) -> Any:  # noqa: ANN401 - whatever the call gives
    try:
        return call(given)
    except EdgeRecError:  # such as an engine that is not installed; it says itself what to do
        raise
    except Exception as error:  # engines raise classes of their own
        raise BackendError(
            f"{backend} cannot {what} the retriever graph ({first_line(error)}); convert it in another precision or for another "
            "target, or leave --graph out"
        ) from error
