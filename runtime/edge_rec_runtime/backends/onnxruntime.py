"""ONNX Runtime on the CPU, set for one short request at a time: no spinning threads, errors only in the log."""

from __future__ import annotations

__all__ = ["OnnxRuntime"]

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edge_rec_runtime.backends.protocol import first_line
from edge_rec_runtime.errors import BackendError, require

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edge_rec_runtime.backends.protocol import Signature

_LOG_ERRORS = 3  # ONNX Runtime's severity; its warnings are about the graph's making, not its use
_DTYPES = {"tensor(float)": "float32"}  # other names are numpy's


class OnnxRuntime:
    """The backend ``onnxruntime``."""

    target = "onnx"
    package = "onnxruntime"
    extra = "onnx"
    steps = True

    def load(
        self, graph: bytes, signature: Signature, *, where: Path, threads: int, files: Mapping[str, bytes] = MappingProxyType({})
    ) -> _Session:
        """See `Backend.load`."""
        engine = require(self.package, extra=self.extra, purpose=f"running {where.name}")
        options = engine.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _LOG_ERRORS
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            if files:
                contents = list(files.values())
                options.add_external_initializers_from_files_in_memory(list(files), contents, [len(one) for one in contents])
            session = engine.InferenceSession(graph, sess_options=options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise BackendError(
                f"{where}: onnxruntime {engine.__version__} cannot load the {signature.graph} ({first_line(error)}); "
                "install a newer onnxruntime or convert the model again"
            ) from error
        fault = signature.misfit(_dtypes(session.get_inputs()), _dtypes(session.get_outputs()))
        if fault:
            raise BackendError(f"{where}: {fault}")
        return _Session(session, signature)


class _Session:
    backend = "onnxruntime"
    plans_shapes = False

    def __init__(self, session: Any, signature: Signature) -> None:  # noqa: ANN401 - the engine is typed where it is installed
        self._session = session
        self._signature = signature
        self._outputs = list(signature.outputs)

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        return self.run(inputs)[0]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        try:
            outputs: list[NDArray[np.float32]] = self._session.run(self._outputs, inputs, None)
        except Exception as error:
            shapes = {name: list(array.shape) for name, array in inputs.items()}
            raise BackendError(f"onnxruntime cannot run the {self._signature.graph} on {shapes} ({first_line(error)})") from error
        return outputs

    def close(self) -> None:
        self._session = None


def _dtypes(values: Iterable[Any]) -> dict[str, str]:
    return {value.name: _DTYPES.get(value.type, value.type.removeprefix("tensor(").removesuffix(")")) for value in values}
