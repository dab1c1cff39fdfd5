"""This project's search, through the classes that a device uses."""

from __future__ import annotations

__all__ = ["OURS"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_runtime import BinaryTable, Fp32Table, Int8Table
from edge_rec_runtime.search import top_k
from scanning.contender import Answer, Contender

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edge_rec_runtime import ItemTable
    from scanning.problems import BitsProblem, Fp32Problem, Int8Problem, Problem


def _int8(problem: Int8Problem) -> list[Contender]:
    table = Int8Table(problem.codes, np.full(problem.case.rows, problem.step))
    return [Contender(name="full scan", answer=_answer(table, problem, problem.queries), ours=True)]


def _fp32(problem: Fp32Problem) -> list[Contender]:
    return [Contender(name="full scan", answer=_answer(Fp32Table(problem.values), problem, problem.queries), ours=True)]


def _bits(problem: BitsProblem) -> list[Contender]:
    table = BinaryTable.pack(problem.signs, problem.scales)
    return [Contender(name="full scan", answer=_answer(table, problem, problem.queries), ours=True)]


def _answer(table: ItemTable, problem: Problem, queries: NDArray[np.float32]) -> Answer:
    k = problem.case.k
    if problem.case.batch == 1:
        return lambda number: top_k(table, queries[number], k)[0][None]
    return lambda number: np.stack([top_k(table, query, k)[0] for query in queries[problem.part(number)]])


# By precision: every way of ours to answer it.
OURS: dict[str, Callable[[Any], list[Contender]]] = {"int8": _int8, "fp32": _fp32, "hamming": lambda _: [], "bits": _bits}
