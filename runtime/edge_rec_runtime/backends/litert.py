"""LiteRT, from ``ai_edge_litert`` or the older ``tflite_runtime``: the same interpreter under two names.

One interpreter is kept. With LiteRT its inputs are resized when a request passes into another bucket of lengths or candidates:
.04 to .2 ms (SASRec, 64 dims, window 200), where an interpreter for each of six buckets would take 1 MB each to save it.
``tflite_runtime`` 2.14 computes wrongly after a resize, since it does not decode int8 constants again for the tensors that it
moved; there every change of bucket gets a new interpreter, about 1 ms. An interpreter is not safe to share between threads, so
calls take turns.
"""

from __future__ import annotations

__all__ = ["AiEdgeLitert", "TfliteRuntime"]

import importlib.util
import threading
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from edge_rec_runtime.backends.protocol import first_line
from edge_rec_runtime.errors import BackendError, DependencyError, require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_runtime.backends.protocol import Signature


class AiEdgeLitert:
    """The backend ``litert``."""

    target = "tflite"
    package = "ai_edge_litert"
    extra = "litert"
    steps = True

    def load(
        self, graph: bytes, signature: Signature, *, where: Path, threads: int, files: Mapping[str, bytes] = MappingProxyType({})
    ) -> _Loaded:
        """See `Backend.load`."""
        _refuse_files(files, where)
        engine = require(f"{self.package}.interpreter", extra=self.extra, purpose=f"running {where.name}")
        return _load("litert", lambda: engine.Interpreter(model_content=graph, num_threads=threads), signature, where)


class TfliteRuntime:
    """The backend ``tflite-runtime``, for devices that only this engine still serves (32-bit Arm); it needs numpy 1."""

    target = "tflite"
    package = "tflite_runtime"
    extra = "tflite-runtime"
    steps = False  # a state grows, and this engine computes wrongly after a resize

    def load(
        self, graph: bytes, signature: Signature, *, where: Path, threads: int, files: Mapping[str, bytes] = MappingProxyType({})
    ) -> _Loaded:
        """See `Backend.load`."""
        _refuse_files(files, where)
        if np.lib.NumpyVersion(np.__version__) >= "2.0.0" and importlib.util.find_spec(self.package):
            raise DependencyError(
                f"tflite-runtime was built for numpy 1 and fails with the installed {np.__version__}; "
                "run: pip install 'edge-rec[tflite-runtime]'"
            )
        engine = require(f"{self.package}.interpreter", extra=self.extra, purpose=f"running {where.name}")
        return _load("tflite-runtime", lambda: engine.Interpreter(model_content=graph, num_threads=threads), signature, where)


_RESIZES = ("litert",)  # the backends whose interpreters compute rightly after a resize


def _refuse_files(files: Mapping[str, bytes], where: Path) -> None:
    if files:
        raise BackendError(f"{where}: a .tflite graph holds its weights itself, and this one's lie in {', '.join(files)}")


def _load(backend: str, make: Callable[[], Any], signature: Signature, where: Path) -> _Loaded:
    try:
        interpreters = (_Step if signature.state else _Interpreters)(backend, make, signature)
    except (
        ValueError,
        RuntimeError,
        TypeError,
        AttributeError,
        ImportError,
    ) as error:  # with numpy 2 the old engine breaks oddly
        raise BackendError(
            f"{where}: {backend} cannot load the {signature.graph} ({first_line(error)}); "
            "use another backend or convert the model again"
        ) from error
    fault = signature.misfit(interpreters.inputs, interpreters.outputs)
    if fault:
        raise BackendError(f"{where}: {fault}")
    return interpreters


class _Interpreters:
    """An interpreter that follows the shapes of what it is given, by resizing or by being made anew."""

    plans_shapes = True

    def __init__(self, backend: str, make: Callable[[], Any], signature: Signature) -> None:
        self.backend = backend
        self._make = make
        self._signature = signature
        self._turn = threading.Lock()
        self._interpreter: Any = None
        self._adopt(make())

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        return [self(inputs)]

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        shapes = {name: array.shape for name, array in inputs.items()}
        with self._turn:
            try:
                if shapes != self._shapes:
                    self._reshape(shapes)
                for name, array in inputs.items():
                    self._interpreter.set_tensor(self._places[name], array)
                self._interpreter.invoke()
                output: NDArray[np.float32] = self._interpreter.get_tensor(self._output)
            except (ValueError, RuntimeError) as error:
                graph, shown = self._signature.graph, {name: list(shape) for name, shape in shapes.items()}
                raise BackendError(f"{self.backend} cannot run the {graph} on {shown} ({first_line(error)})") from error
        return output

    @property
    def inputs(self) -> dict[str, str]:
        """The dtype of each input."""
        return _dtypes(self._interpreter.get_input_details())

    @property
    def outputs(self) -> dict[str, str]:
        """The dtype of each output."""
        return _dtypes(self._interpreter.get_output_details())

    def close(self) -> None:
        self._interpreter = None

    def _adopt(self, interpreter: Any) -> None:  # noqa: ANN401  # the engine is typed where it is installed
        self._places = {_plain(detail["name"]): detail["index"] for detail in interpreter.get_input_details()}
        outputs = {_plain(detail["name"]): detail["index"] for detail in interpreter.get_output_details()}
        self._output = outputs.get(self._signature.output)
        self._interpreter = interpreter
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._planned = False

    def _reshape(self, shapes: dict[str, tuple[int, ...]]) -> None:
        if self._planned and self.backend not in _RESIZES:
            self._adopt(self._make())
        known, self._planned, self._shapes = self._shapes, True, {}  # the shapes hold once all of it has worked
        for name, shape in shapes.items():
            if shape != known.get(name):
                self._interpreter.resize_tensor_input(self._places[name], shape)
        self._interpreter.allocate_tensors()
        self._shapes = shapes


class _Step:
    """The signature ``step`` of a file, which goes on from a state; it follows the shapes of what it is given."""

    plans_shapes = True

    def __init__(self, backend: str, make: Callable[[], Any], signature: Signature) -> None:
        self.backend = backend
        self._signature = signature
        self._turn = threading.Lock()
        self._runner: Any = make().get_signature_runner(signature.graph)

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        return self.run(inputs)[0]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        try:
            with self._turn:
                found = self._runner(**inputs)
        except (ValueError, RuntimeError) as error:
            shown = {name: list(array.shape) for name, array in inputs.items()}
            raise BackendError(
                f"{self.backend} cannot run the {self._signature.graph} on {shown} ({first_line(error)})"
            ) from error
        return [found[name] for name in self._signature.outputs]

    @property
    def inputs(self) -> dict[str, str]:
        """The dtype of each input."""
        return {name: np.dtype(detail["dtype"]).name for name, detail in self._runner.get_input_details().items()}

    @property
    def outputs(self) -> dict[str, str]:
        """The dtype of each output."""
        return {name: np.dtype(detail["dtype"]).name for name, detail in self._runner.get_output_details().items()}

    def close(self) -> None:
        self._runner = None


_Loaded: TypeAlias = "_Interpreters | _Step"


def _dtypes(details: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {_plain(detail["name"]): np.dtype(detail["dtype"]).name for detail in details}


def _plain(name: str) -> str:
    """Return a tensor's name without what exporters put around it: ``serving_default_vectors:0`` is ``vectors``."""
    return name.removeprefix("serving_default_").partition(":")[0]
