"""The device: a bundle, its item tables, search, engines, and `Recommender`, the one object that an app uses.

Needs numpy and one inference engine; never torch, never the ``onnx`` package.
"""

from __future__ import annotations

__all__ = [
    "LAYOUTS",
    "BinaryTable",
    "Bundle",
    "BundleContents",
    "Catalogue",
    "Fp32Table",
    "History",
    "Int8Table",
    "ItemTable",
    "Manifest",
    "Precision",
    "Progress",
    "Recommendation",
    "Recommendations",
    "Recommender",
    "read_histories",
    "silent",
    "top_k",
    "write_bundle",
    "write_histories",
]

from edge_rec_runtime.bundle import Bundle, BundleContents, Manifest, write_bundle
from edge_rec_runtime.catalogue import Catalogue
from edge_rec_runtime.codes import LAYOUTS, BinaryTable, Fp32Table, Int8Table, ItemTable
from edge_rec_runtime.histories import History, read_histories, write_histories
from edge_rec_runtime.precision import Precision
from edge_rec_runtime.progress import Progress, silent
from edge_rec_runtime.recommendations import Recommendation, Recommendations
from edge_rec_runtime.recommender import Recommender
from edge_rec_runtime.search import top_k
