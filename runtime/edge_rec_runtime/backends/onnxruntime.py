"""ONNX Runtime on the CPU, set for one short request at a time: no spinning threads, errors only in the log."""

from __future__ import annotations

__all__ = ["OnnxRuntime"]

from typing import TYPE_CHECKING, Any

from edge_rec_runtime.errors import BackendError, require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_rec_runtime.bundle import Bundle

_LOG_ERRORS = 3  # ONNX Runtime's severity; its warnings are about the graph's making, not its use


class OnnxRuntime:
    """The backend ``onnxruntime``."""

    target = "onnx"
    package = "onnxruntime"
    extra = "onnx"

    def load(self, bundle: Bundle, *, threads: int) -> _Session:
        """See `Backend.load`."""
        engine = require(self.package, extra=self.extra, purpose=f"running {bundle.path.name}")
        options = engine.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _LOG_ERRORS
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        graph = bundle.read(bundle.manifest.encoder_members[self.target])
        try:
            session = engine.InferenceSession(graph, sess_options=options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise BackendError(
                f"{bundle.path}: onnxruntime {engine.__version__} cannot load the encoder ({_first_line(error)}); "
                "install a newer onnxruntime or convert the model again"
            ) from error
        inputs, outputs = ({value.name for value in values} for values in (session.get_inputs(), session.get_outputs()))
        if inputs != {"vectors", "mask"} or "query" not in outputs:
            raise BackendError(
                f"{bundle.path}: the encoder has the inputs {sorted(inputs)} and outputs {sorted(outputs)}; "
                "expected vectors, mask and query, convert the model again"
            )
        return _Session(session)


class _Session:
    backend = "onnxruntime"

    def __init__(self, session: Any) -> None:  # noqa: ANN401 - the engine is typed where it is installed
        self._session = session

    def __call__(self, vectors: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            query: NDArray[np.float32] = self._session.run(["query"], {"vectors": vectors, "mask": mask})[0]
        except Exception as error:
            raise BackendError(f"onnxruntime cannot run the encoder on {list(vectors.shape)} ({_first_line(error)})") from error
        return query

    def close(self) -> None:
        self._session = None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
