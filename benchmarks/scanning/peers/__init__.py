"""Who else searches: for each precision the libraries that do, each as its documentation shows it, on one thread."""

from __future__ import annotations

__all__ = ["PEERS"]

from typing import TYPE_CHECKING, Any

from scanning.peers import faiss_indexes, numpy_scans, onnxruntime_graphs, torch_scans, usearch_exact

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanning.contender import Contender

PEERS: dict[str, tuple[Callable[[Any], Contender], ...]] = {
    "int8": (faiss_indexes.int8, usearch_exact.int8, onnxruntime_graphs.int8, torch_scans.int8, numpy_scans.int8),
    "fp32": (faiss_indexes.fp32, usearch_exact.fp32, onnxruntime_graphs.fp32, torch_scans.fp32, numpy_scans.fp32),
    "hamming": (faiss_indexes.hamming, usearch_exact.hamming, numpy_scans.hamming),
    "bits": (faiss_indexes.rabitq_fast_scan, faiss_indexes.rabitq, faiss_indexes.product_fast_scan, numpy_scans.bits),
}
