"""LiteRT, from ``ai_edge_litert`` or the older ``tflite_runtime``: the same interpreter under two names.

One interpreter is kept. With LiteRT its inputs are resized when the length of the history passes into another bucket: that costs
.04 to .2 ms (SASRec, 64 dims, window 200), where an interpreter for each of six buckets would take 1 MB each to save it.
``tflite_runtime`` 2.14 computes wrongly after a resize, since it does not decode int8 constants again for the tensors that it
moved; there every change of bucket gets a new interpreter, about 1 ms. An interpreter is not safe to share between threads, so
calls take turns.
"""

from __future__ import annotations

__all__ = ["AiEdgeLitert", "TfliteRuntime"]

import importlib.util
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_runtime.errors import BackendError, DependencyError, require

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edge_rec_runtime.bundle import Bundle


class AiEdgeLitert:
    """The backend ``litert``."""

    target = "tflite"
    package = "ai_edge_litert"
    extra = "litert"

    def load(self, bundle: Bundle, *, threads: int) -> _Interpreters:
        """See `Backend.load`."""
        return _load("litert", self.package, self.extra, bundle, threads, resizes=True)


class TfliteRuntime:
    """The backend ``tflite-runtime``, for devices that only this engine still serves (32-bit Arm); it needs numpy 1."""

    target = "tflite"
    package = "tflite_runtime"
    extra = "tflite-runtime"

    def load(self, bundle: Bundle, *, threads: int) -> _Interpreters:
        """See `Backend.load`."""
        if np.lib.NumpyVersion(np.__version__) >= "2.0.0" and importlib.util.find_spec(self.package):
            raise DependencyError(
                f"tflite-runtime was built for numpy 1 and fails with the installed {np.__version__}; "
                "run: pip install 'edge-rec[tflite-runtime]'"
            )
        return _load("tflite-runtime", self.package, self.extra, bundle, threads, resizes=False)


def _load(backend: str, package: str, extra: str, bundle: Bundle, threads: int, *, resizes: bool) -> _Interpreters:
    engine = require(f"{package}.interpreter", extra=extra, purpose=f"running {bundle.path.name}")
    graph = bundle.read(bundle.manifest.encoder_members["tflite"])
    try:
        return _Interpreters(backend, lambda: engine.Interpreter(model_content=graph, num_threads=threads), resizes=resizes)
    except (
        ValueError,
        RuntimeError,
        TypeError,
        AttributeError,
        ImportError,
    ) as error:  # with numpy 2 the old engine breaks oddly
        raise BackendError(
            f"{bundle.path}: {backend} cannot load the encoder ({_first_line(error)}); "
            "use another backend or convert the model again"
        ) from error


class _Interpreters:
    """An interpreter that follows the shape of what it is given, by resizing or by being made anew."""

    def __init__(self, backend: str, make: Callable[[], Any], *, resizes: bool) -> None:
        self.backend = backend
        self._make = make
        self._resizes = resizes
        self._turn = threading.Lock()
        self._interpreter: Any = None
        self._adopt(make())

    def __call__(self, vectors: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
        with self._turn:
            try:
                if vectors.shape != self._shape:
                    self._reshape(vectors.shape)
                self._interpreter.set_tensor(self._vectors, vectors)
                self._interpreter.set_tensor(self._mask, mask)
                self._interpreter.invoke()
                query: NDArray[np.float32] = self._interpreter.get_tensor(self._query)
            except (ValueError, RuntimeError) as error:
                shape = list(vectors.shape)
                raise BackendError(f"{self.backend} cannot run the encoder on {shape} ({_first_line(error)})") from error
        return query

    def close(self) -> None:
        self._interpreter = None

    def _adopt(self, interpreter: Any) -> None:  # noqa: ANN401  # the engine is typed where it is installed
        inputs, outputs = (
            {_plain(detail["name"]): detail["index"] for detail in details}
            for details in (interpreter.get_input_details(), interpreter.get_output_details())
        )
        if set(inputs) != {"vectors", "mask"} or "query" not in outputs:
            raise ValueError(
                f"it has the inputs {sorted(inputs)} and outputs {sorted(outputs)}; expected vectors, mask and query"
            )
        self._vectors, self._mask, self._query = inputs["vectors"], inputs["mask"], outputs["query"]
        self._interpreter = interpreter
        self._shape: tuple[int, ...] = ()
        self._planned = False

    def _reshape(self, shape: tuple[int, ...]) -> None:
        if self._planned and not self._resizes:
            self._adopt(self._make())
        self._planned, self._shape = True, ()  # the shape holds once all of it has worked
        self._interpreter.resize_tensor_input(self._vectors, shape)
        self._interpreter.resize_tensor_input(self._mask, shape[:2])
        self._interpreter.allocate_tensors()
        self._shape = shape


def _plain(name: str) -> str:
    """Return a tensor's name without what exporters put around it: ``serving_default_vectors:0`` is ``vectors``."""
    return name.removeprefix("serving_default_").partition(":")[0]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
