"""The TFLite target: a graph becomes a .tflite file by our own flatbuffer writer, without tensorflow."""

from __future__ import annotations

__all__ = ["ADVICE", "FOLDED", "NOTES", "OPS", "check", "emit", "emit_with_step"]

from edge_rec_converters.targets.tflite._emit import check, emit, emit_with_step
from edge_rec_converters.targets.tflite._notes import ADVICE, FOLDED, NOTES
from edge_rec_converters.targets.tflite.ops import OPS
