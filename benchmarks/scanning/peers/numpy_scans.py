"""numpy: scores of all rows, then a partition."""

from __future__ import annotations

__all__ = ["bits", "fp32", "hamming", "int8"]

from typing import TYPE_CHECKING, Any

import numpy as np

from scanning.contender import Answer, Contender

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scanning.problems import BitsProblem, Fp32Problem, HammingProblem, Int8Problem, Problem


def fp32(problem: Fp32Problem) -> Contender:
    """Return BLAS on floats."""
    queries = problem.queries.T.copy()
    return Contender(name="numpy", answer=_best(problem, lambda part: (problem.values @ queries[:, part]).T))


def int8(problem: Int8Problem) -> Contender:
    """Return BLAS on codes that have been widened to floats once: numpy has no fast product of bytes."""
    wide, queries = problem.codes.astype(np.float32), problem.whole.T.astype(np.float32)
    return Contender(
        name="numpy, codes as floats",
        answer=_best(problem, lambda part: (wide @ queries[:, part]).T),
        remark="four bytes a value",
    )


def hamming(problem: HammingProblem) -> Contender:
    """Return ``bitwise_count`` on words of 32 or 64 bits."""
    word = np.uint64 if problem.case.dims % 64 == 0 else np.uint32
    rows: NDArray[Any] = problem.bits.view(word)
    queries: NDArray[Any] = problem.query_bits.view(word)

    def scores(part: slice) -> NDArray[Any]:
        counts = np.bitwise_count(rows[None] ^ queries[part, None])
        nearest: NDArray[Any] = -counts.sum(axis=-1, dtype=np.int16) if rows.shape[1] > 1 else -counts[..., 0].astype(np.int8)
        return nearest

    return Contender(name="numpy bitwise_count", answer=_best(problem, scores))


def bits(problem: BitsProblem) -> Contender:
    """Return BLAS on signs that have been widened to floats once."""
    wide, queries = np.where(problem.signs, np.float32(1), np.float32(-1)), problem.queries.T.copy()
    scales = problem.scales.astype(np.float32)
    return Contender(
        name="numpy, signs as floats",
        answer=_best(problem, lambda part: (wide @ queries[:, part]).T * scales),
        remark="four bytes a value",
    )


def _best(problem: Problem, scores: Callable[[slice], NDArray[Any]]) -> Answer:
    k = problem.case.k

    def answer(number: int) -> NDArray[Any]:
        found = scores(problem.part(number))
        best = np.argpartition(found, found.shape[1] - k, axis=1)[:, -k:]
        order = np.argsort(-np.take_along_axis(found, best, axis=1), axis=1, kind="stable")
        rows: NDArray[Any] = np.take_along_axis(best, order, axis=1)
        return rows

    return answer
