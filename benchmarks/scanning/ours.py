"""This project's search, through the classes that a device uses."""

from __future__ import annotations

__all__ = ["CHOSEN", "FULL", "OURS"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_runtime.codes import BinaryTable, Fp32Table, HammingTable, Int8Table
from edge_rec_runtime.codes.shadow import Shadow
from edge_rec_runtime.search import top_k, top_k_batch
from scanning.contender import Answer, Contender

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edge_rec_runtime import ItemTable
    from scanning.problems import BitsProblem, Fp32Problem, HammingProblem, Int8Problem, Problem

FULL, CHOSEN = "full scan", "as the runtime chooses"


def _int8(problem: Int8Problem) -> list[Contender]:
    return _both(Int8Table(problem.codes, np.full(problem.case.rows, problem.step)), problem, problem.queries)


def _fp32(problem: Fp32Problem) -> list[Contender]:
    return _both(Fp32Table(problem.values), problem, problem.queries)


def _hamming(problem: HammingProblem) -> list[Contender]:
    table = HammingTable(problem.bits, dims=problem.case.dims)
    return [Contender(name=FULL, answer=_answer(table, problem, problem.queries), ours=True)]


def _bits(problem: BitsProblem) -> list[Contender]:
    table = BinaryTable.pack(problem.signs, problem.scales)
    return [Contender(name=FULL, answer=_answer(table, problem, problem.queries), ours=True)]


def _both(table: Int8Table | Fp32Table, problem: Problem, queries: NDArray[np.float32]) -> list[Contender]:
    """Return the scan that reads the whole table, and the search of a table with a 4-bit shadow, which is used where it pays."""
    shadowed = table.with_shadow(Shadow.encode(table))
    return [
        Contender(name=FULL, answer=_answer(table, problem, queries), ours=True),
        Contender(name=CHOSEN, answer=_answer(shadowed, problem, queries), ours=True),
    ]


def _answer(table: ItemTable, problem: Problem, queries: NDArray[np.float32]) -> Answer:
    k = problem.case.k
    if problem.case.batch == 1:
        return lambda number: top_k(table, queries[number], k)[0][None]
    return lambda number: top_k_batch(table, queries[problem.part(number)], k)[0]


# By precision: every way of ours to answer it.
OURS: dict[str, Callable[[Any], list[Contender]]] = {"int8": _int8, "fp32": _fp32, "hamming": _hamming, "bits": _bits}
