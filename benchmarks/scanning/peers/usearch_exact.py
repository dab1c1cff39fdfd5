"""usearch: its exact search, which needs no index."""

from __future__ import annotations

__all__ = ["fp32", "hamming", "int8"]

from typing import TYPE_CHECKING, Any

from usearch.index import MetricKind, search

from scanning.contender import Contender

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanning.problems import Fp32Problem, HammingProblem, Int8Problem, Problem


def fp32(problem: Fp32Problem) -> Contender:
    """Return inner products of floats."""
    return _exact(problem, problem.values, problem.queries, MetricKind.IP)


def int8(problem: Int8Problem) -> Contender:
    """Return inner products of bytes."""
    return _exact(problem, problem.codes, problem.whole, MetricKind.IP)


def hamming(problem: HammingProblem) -> Contender:
    """Return bits that differ."""
    return _exact(problem, problem.bits, problem.query_bits, MetricKind.Hamming)


def _exact(problem: Problem, rows: NDArray[Any], queries: NDArray[Any], metric: MetricKind) -> Contender:
    k = problem.case.k

    def answer(number: int) -> NDArray[Any]:
        found: NDArray[Any] = search(rows, queries[problem.part(number)], k, metric, exact=True, threads=1).keys
        return found.reshape(-1, k)

    return Contender(name="usearch exact", answer=answer)
