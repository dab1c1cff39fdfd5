"""An encoder and its step graph as two files that share weights.

What an encoder's file holds the step graph does not store again: it says where the bytes lie, as ONNX does for weights outside of
a file. A device gives the engine the encoder's bytes under that name when it opens the step graph.
"""

from __future__ import annotations

__all__ = ["ENCODER_FILE", "emit_with_step"]

from typing import TYPE_CHECKING

import onnx

from edge_rec_converters.targets.onnx._emit import emit

if TYPE_CHECKING:
    import onnx_ir as ir

ENCODER_FILE = "encoder.onnx"
_SHARED = 256  # bytes; to say where a smaller constant lies takes about as many as the constant


def emit_with_step(model: ir.Model, step: ir.Model) -> tuple[bytes, bytes]:
    """Return the bytes of an encoder's file, and those of its step graph, whose weights lie in the first where they are there."""
    encoder = emit(model)
    proto = onnx.load_model_from_string(emit(step))
    for tensor in proto.graph.initializer:
        start = encoder.find(tensor.raw_data) if len(tensor.raw_data) >= _SHARED else -1
        if start >= 0:
            where = {"location": ENCODER_FILE, "offset": str(start), "length": str(len(tensor.raw_data))}
            tensor.ClearField("raw_data")
            tensor.data_location = onnx.TensorProto.EXTERNAL
            tensor.external_data.extend(onnx.StringStringEntryProto(key=key, value=value) for key, value in where.items())
    return encoder, proto.SerializeToString(deterministic=True)
