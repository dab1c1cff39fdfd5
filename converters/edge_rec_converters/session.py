"""ONNX Runtime as the host uses it: one thread, because the machine is shared, and quiet."""

from __future__ import annotations

__all__ = ["open_session"]

from typing import Any

import onnxruntime


def open_session(model: bytes | str) -> Any:  # noqa: ANN401 - onnxruntime brings no types
    """Open an ONNX model, from bytes or from a path.

    Returns:
        An ``onnxruntime.InferenceSession``.
    """
    engine: Any = onnxruntime
    options = engine.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return engine.InferenceSession(model, options, providers=["CPUExecutionProvider"])
