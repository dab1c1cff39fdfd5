"""The device: a bundle, its item tables, search, engines, and what an app uses: `Recommender`, or `Ranker`.

Needs numpy and one inference engine; never torch, never the ``onnx`` package. A name is imported when it is first used, so that
reading an error class does not load numpy.
"""

from __future__ import annotations

__all__ = [
    "LAYOUTS",
    "BinaryTable",
    "Bundle",
    "BundleContents",
    "Catalogue",
    "Feature",
    "Fp16Table",
    "Fp32Table",
    "HammingTable",
    "History",
    "Int4Table",
    "Int8Table",
    "ItemTable",
    "Manifest",
    "NeighbourTable",
    "PqTable",
    "Precision",
    "Progress",
    "RankRequest",
    "Ranker",
    "Recommendation",
    "Recommendations",
    "Recommender",
    "Session",
    "SparseInt8Table",
    "SparseTable",
    "read_histories",
    "read_rank_requests",
    "silent",
    "top_k",
    "top_k_batch",
    "write_bundle",
    "write_histories",
]

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_rec_runtime.bundle import Bundle, BundleContents, Manifest, write_bundle
    from edge_rec_runtime.catalogue import Catalogue
    from edge_rec_runtime.codes import (
        LAYOUTS,
        BinaryTable,
        Fp16Table,
        Fp32Table,
        HammingTable,
        Int4Table,
        Int8Table,
        ItemTable,
        NeighbourTable,
        PqTable,
        SparseInt8Table,
        SparseTable,
    )
    from edge_rec_runtime.features import Feature
    from edge_rec_runtime.histories import History, read_histories, write_histories
    from edge_rec_runtime.precision import Precision
    from edge_rec_runtime.progress import Progress, silent
    from edge_rec_runtime.rank_requests import RankRequest, read_rank_requests
    from edge_rec_runtime.ranker import Ranker
    from edge_rec_runtime.recommendations import Recommendation, Recommendations
    from edge_rec_runtime.recommender import Recommender
    from edge_rec_runtime.search import top_k, top_k_batch
    from edge_rec_runtime.session import Session

# name -> the module that it is imported from
_HOMES: dict[str, str] = {
    "LAYOUTS": "codes",
    "BinaryTable": "codes",
    "Bundle": "bundle",
    "BundleContents": "bundle",
    "Catalogue": "catalogue",
    "Feature": "features",
    "Fp16Table": "codes",
    "Fp32Table": "codes",
    "HammingTable": "codes",
    "History": "histories",
    "Int4Table": "codes",
    "Int8Table": "codes",
    "ItemTable": "codes",
    "Manifest": "bundle",
    "NeighbourTable": "codes",
    "PqTable": "codes",
    "Precision": "precision",
    "Progress": "progress",
    "RankRequest": "rank_requests",
    "Ranker": "ranker",
    "Recommendation": "recommendations",
    "Recommendations": "recommendations",
    "Recommender": "recommender",
    "Session": "session",
    "SparseInt8Table": "codes",
    "SparseTable": "codes",
    "read_histories": "histories",
    "read_rank_requests": "rank_requests",
    "silent": "progress",
    "top_k": "search",
    "top_k_batch": "search",
    "write_bundle": "bundle",
    "write_histories": "histories",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
