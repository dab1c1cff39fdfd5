"""Converters: a model from the door becomes a verified bundle for ONNX Runtime or LiteRT."""

from __future__ import annotations

__all__ = [
    "Conversion",
    "Examples",
    "Neighbours",
    "NeighboursSource",
    "Prepared",
    "Ranker",
    "RankerSource",
    "Retriever",
    "RetrieverSource",
    "Source",
    "Verification",
    "bundle_name",
    "convert",
    "open_model",
    "prepare",
    "verify",
]

from edge_rec_converters.convert import Conversion, bundle_name, convert, verify
from edge_rec_converters.door import open_model
from edge_rec_converters.examples import Examples
from edge_rec_converters.prepare import Prepared, prepare
from edge_rec_converters.protocol import (
    Neighbours,
    NeighboursSource,
    Ranker,
    RankerSource,
    Retriever,
    RetrieverSource,
    Source,
)
from edge_rec_converters.verification import Verification
