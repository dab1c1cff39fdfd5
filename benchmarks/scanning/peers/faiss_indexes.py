"""faiss: its flat indexes, and for bits its codes of a bit a value."""

from __future__ import annotations

__all__ = ["fp32", "hamming", "int8", "product_fast_scan", "rabitq", "rabitq_fast_scan"]

from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from scanning.contender import Contender

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanning.problems import BitsProblem, Fp32Problem, HammingProblem, Int8Problem, Problem

faiss.omp_set_num_threads(1)
_BLOCK, _TRAINED = 100_000, 50_000  # rows added at a time, and that an index learns from


def fp32(problem: Fp32Problem) -> Contender:
    """Return ``IndexFlatIP``."""
    return _filled("faiss IndexFlatIP", faiss.IndexFlatIP(problem.case.dims), problem, problem.values, problem.queries)


def int8(problem: Int8Problem) -> Contender:
    """Return the scalar quantizer that takes whole numbers as they are."""
    index = faiss.IndexScalarQuantizer(problem.case.dims, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT)
    return _filled("faiss QT_8bit_direct_signed", index, problem, problem.codes, problem.whole.astype(np.float32))


def hamming(problem: HammingProblem) -> Contender:
    """Return ``IndexBinaryFlat``."""
    index = faiss.IndexBinaryFlat(problem.case.dims)
    index.add(problem.bits)
    return Contender(name="faiss IndexBinaryFlat", answer=_Search(index, problem, problem.query_bits))


def rabitq_fast_scan(problem: BitsProblem) -> Contender:
    """Return a bit a value and factors a row, scanned by look-up of four bits."""
    index = faiss.IndexRaBitQFastScan(problem.case.dims, faiss.METRIC_INNER_PRODUCT)
    return _filled("faiss IndexRaBitQFastScan", index, problem, problem.values, problem.queries)


def rabitq(problem: BitsProblem) -> Contender:
    """Return the same codes, row by row."""
    index = faiss.IndexRaBitQ(problem.case.dims, faiss.METRIC_INNER_PRODUCT)
    return _filled("faiss IndexRaBitQ", index, problem, problem.values, problem.queries)


def product_fast_scan(problem: BitsProblem) -> Contender:
    """Return product codes of four bits for four values: a bit a value as well."""
    name = f"PQ{problem.case.dims // 4}x4fs"
    index = faiss.index_factory(problem.case.dims, name, faiss.METRIC_INNER_PRODUCT)
    return _filled(f"faiss {name}", index, problem, problem.values, problem.queries)


def _filled(name: str, index: Any, problem: Problem, rows: NDArray[Any], queries: NDArray[np.float32]) -> Contender:  # noqa: ANN401
    """Train an index where it wants to be, give it the rows, and return it as a contender."""
    index.train(rows[:_TRAINED].astype(np.float32))
    for start in range(0, len(rows), _BLOCK):
        index.add(rows[start : start + _BLOCK].astype(np.float32))
    return Contender(name=name, answer=_Search(index, problem, queries))


class _Search:
    """Asks an index for a batch of queries."""

    def __init__(self, index: Any, problem: Problem, queries: NDArray[Any]) -> None:  # noqa: ANN401
        self._index, self._k = index, problem.case.k
        self._parts = [np.ascontiguousarray(queries[problem.part(number)]) for number in range(problem.batches)]

    def __call__(self, number: int) -> NDArray[Any]:
        found: NDArray[Any] = self._index.search(self._parts[number], self._k)[1]
        return found
