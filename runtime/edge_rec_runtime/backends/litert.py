"""LiteRT, from ``ai_edge_litert`` or the older ``tflite_runtime``: the same interpreter under two names.

One interpreter is kept, and its inputs are resized when the length of the history passes into another bucket: that costs .04 to
.2 ms (SASRec, 64 dims, window 200), where an interpreter for each of six buckets would take 1 MB each to save it. An interpreter
is not safe to share between threads, so calls take turns.
"""

from __future__ import annotations

__all__ = ["AiEdgeLitert", "TfliteRuntime"]

import threading
from typing import TYPE_CHECKING, Any

from edge_rec_runtime.errors import BackendError, require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_rec_runtime.bundle import Bundle


class AiEdgeLitert:
    """The backend ``litert``."""

    target = "tflite"
    package = "ai_edge_litert"
    extra = "litert"

    def load(self, bundle: Bundle, *, threads: int) -> _Interpreter:
        """See `Backend.load`."""
        return _load("litert", self.package, self.extra, bundle, threads)


class TfliteRuntime:
    """The backend ``tflite-runtime``, for devices that only this engine still serves (32-bit Arm); it needs numpy 1."""

    target = "tflite"
    package = "tflite_runtime"
    extra = "tflite-runtime"

    def load(self, bundle: Bundle, *, threads: int) -> _Interpreter:
        """See `Backend.load`."""
        return _load("tflite-runtime", self.package, self.extra, bundle, threads)


def _load(backend: str, package: str, extra: str, bundle: Bundle, threads: int) -> _Interpreter:
    engine = require(f"{package}.interpreter", extra=extra, purpose=f"running {bundle.path.name}")
    graph = bundle.read(bundle.manifest.encoder_members["tflite"])
    try:
        return _Interpreter(backend, engine.Interpreter(model_content=graph, num_threads=threads))
    except (ValueError, RuntimeError, TypeError, AttributeError, ImportError, KeyError) as error:
        raise BackendError(
            f"{bundle.path}: {backend} cannot load the encoder ({_first_line(error)}); "
            "use another backend or convert the model again"
        ) from error


class _Interpreter:
    def __init__(self, backend: str, interpreter: Any) -> None:  # noqa: ANN401 - the engine is typed where it is installed
        self.backend = backend
        self._interpreter = interpreter
        inputs, outputs = (
            {_plain(detail["name"]): detail["index"] for detail in details}
            for details in (interpreter.get_input_details(), interpreter.get_output_details())
        )
        if set(inputs) != {"vectors", "mask"} or "query" not in outputs:
            raise ValueError(
                f"it has the inputs {sorted(inputs)} and outputs {sorted(outputs)}; expected vectors, mask and query"
            )
        self._vectors, self._mask, self._query = inputs["vectors"], inputs["mask"], outputs["query"]
        self._shape: tuple[int, ...] = ()
        self._turn = threading.Lock()

    def __call__(self, vectors: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._turn:
            try:
                if vectors.shape != self._shape:
                    self._shape = ()
                    self._interpreter.resize_tensor_input(self._vectors, vectors.shape)
                    self._interpreter.resize_tensor_input(self._mask, mask.shape)
                    self._interpreter.allocate_tensors()
                    self._shape = vectors.shape
                self._interpreter.set_tensor(self._vectors, vectors)
                self._interpreter.set_tensor(self._mask, mask)
                self._interpreter.invoke()
                query: NDArray[np.float32] = self._interpreter.get_tensor(self._query)
            except (ValueError, RuntimeError) as error:
                raise BackendError(
                    f"{self.backend} cannot run the encoder on {list(vectors.shape)} ({_first_line(error)})"
                ) from error
        return query

    def close(self) -> None:
        self._interpreter = None


def _plain(name: str) -> str:
    """Return a tensor's name without what exporters put around it: ``serving_default_vectors:0`` is ``vectors``."""
    return name.removeprefix("serving_default_").partition(":")[0]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
