"""Converters: a model from the door becomes a verified bundle for ONNX Runtime or LiteRT."""

from __future__ import annotations

__all__ = ["Conversion", "Prepared", "Retriever", "RetrieverSource", "Verification", "convert", "open_model", "prepare", "verify"]

from edge_rec_converters.convert import Conversion, convert, verify
from edge_rec_converters.door import open_model
from edge_rec_converters.prepare import Prepared, prepare
from edge_rec_converters.protocol import Retriever, RetrieverSource
from edge_rec_converters.verification import Verification
