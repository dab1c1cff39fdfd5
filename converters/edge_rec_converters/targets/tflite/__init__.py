"""The TFLite target: a graph becomes a .tflite file by our own flatbuffer writer, without tensorflow."""

from __future__ import annotations

__all__ = ["check", "emit"]

from edge_rec_converters.targets.tflite._emit import check, emit
