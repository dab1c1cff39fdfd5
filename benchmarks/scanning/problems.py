"""One search problem of each precision, with its true answers, which are found here in numpy and by nothing that is timed.

The truth is exact: whole numbers for ``int8`` and ``hamming``, sums in double precision for ``fp32``. A contender of ``bits`` has
codes of its own, so only ours has a truth to be held to there; everybody's share of the true fp32 results is told instead.
"""

from __future__ import annotations

__all__ = ["PROBLEMS", "BitsProblem", "Fp32Problem", "HammingProblem", "Int8Problem", "Problem"]

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from scanning.truth import Truth, truth_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scanning.cases import Case

_TOLERANCE = 1e-5  # of the largest score: what fp32 sums of any order stay within


class Problem(ABC):
    """A table, queries in batches, and what the best rows are.

    Attributes:
        case: What is measured.
        batches: How many batches the queries make.
    """

    slack = 0.0  # relative to the largest score
    own_codes = False  # whether each contender rounds by itself, so that answers may differ

    def __init__(self, case: Case, queries: int) -> None:
        self.case, self.batches = case, queries // case.batch

    def part(self, number: int) -> slice:
        """Return which queries a batch has."""
        return slice(number * self.case.batch, (number + 1) * self.case.batch)

    @cached_property
    @abstractmethod
    def truth(self) -> Truth:
        """The best rows of every query, and their scores."""

    @abstractmethod
    def scores_of(self, query: int, rows: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """Return the true scores [n] of rows [n]."""

    def fault(self, number: int, rows: NDArray[Any], *, ours: bool) -> str:
        """Return what is wrong with a batch's answer [batch, k]; nothing where it is right.

        Ours must be the very rows of the truth where scores are whole numbers, a tie going to the smaller row; of others, and of
        fp32, the scores are compared.
        """
        rows = np.asarray(rows, dtype=np.int64)
        if rows.shape != (self.case.batch, self.case.k):
            return f"an answer has shape {list(rows.shape)} instead of [{self.case.batch}, {self.case.k}]"
        for query, found in zip(range(self.part(number).start, self.part(number).stop), rows, strict=True):
            if len(set(found.tolist())) < self.case.k or found.min() < 0 or found.max() >= self.case.rows:
                return f"query {query}: a row is there twice, or is none of the table"
            if self.own_codes and not ours:
                continue
            if ours and not self.slack:
                if not np.array_equal(found, self.truth.rows[query]):
                    return f"query {query}: other rows than the {self.case.k} best"
                continue
            have, want = np.sort(self.scores_of(query, found))[::-1], self.truth.scores[query]
            if np.abs(have - want).max() > self.slack * np.abs(want).max():
                return f"query {query}: rows whose scores are not the {self.case.k} best"
        return ""


class Fp32Problem(Problem):
    """Float vectors; inner product."""

    slack = _TOLERANCE

    def __init__(self, case: Case, values: NDArray[np.float32], queries: NDArray[np.float32]) -> None:
        super().__init__(case, len(queries))
        self.values, self.queries = values, queries

    @cached_property
    def truth(self) -> Truth:
        """See `Problem`."""
        wide = self.queries.T.astype(np.float64)
        return truth_of(self.case.rows, self.case.k, lambda part: self.values[part].astype(np.float64) @ wide)

    def scores_of(self, query: int, rows: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """See `Problem`."""
        scores: NDArray[np.float64] = self.values[rows].astype(np.float64) @ self.queries[query].astype(np.float64)
        return scores


class Int8Problem(Problem):
    """Whole numbers in [-127, 127] on both sides, one step for all rows, since the peers know no other.

    Ours reads the step of each row from the table, and applies it, all the same.
    """

    def __init__(self, case: Case, values: NDArray[np.float32], queries: NDArray[np.float32]) -> None:
        super().__init__(case, len(queries))
        self.step = np.float16(np.abs(values).max() / 127)
        self.codes = np.empty(values.shape, np.int8)
        for start in range(0, len(values), 65_536):
            part = slice(start, start + 65_536)
            self.codes[part] = np.clip(np.rint(values[part] / np.float32(self.step)), -127, 127)
        self.queries = queries
        steps = np.abs(queries).max(axis=1, keepdims=True) / np.float32(127)
        self.whole = np.clip(np.rint(queries / steps), -127, 127).astype(np.int8)

    @cached_property
    def truth(self) -> Truth:
        """See `Problem`."""
        factors = self.whole.T.astype(np.float32)  # dims x 127 x 127 is below 2**24: exact
        return truth_of(self.case.rows, self.case.k, lambda part: self.codes[part].astype(np.float32) @ factors)

    def scores_of(self, query: int, rows: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """See `Problem`."""
        scores: NDArray[np.float32] = self.codes[rows].astype(np.float32) @ self.whole[query].astype(np.float32)
        return scores


class HammingProblem(Problem):
    """Signs on both sides; the score is minus the number of bits that differ."""

    def __init__(self, case: Case, values: NDArray[np.float32], queries: NDArray[np.float32]) -> None:
        super().__init__(case, len(queries))
        self.signs, self.query_signs = values > 0, queries > 0
        self.bits, self.query_bits = np.packbits(self.signs, axis=1), np.packbits(self.query_signs, axis=1)
        self.queries = np.where(self.query_signs, np.float32(1), np.float32(-1))

    @cached_property
    def truth(self) -> Truth:
        """See `Problem`."""
        return truth_of(self.case.rows, self.case.k, lambda part: -_distances(self.bits[part, None], self.query_bits[None]))

    def scores_of(self, query: int, rows: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """See `Problem`."""
        return -_distances(self.bits[rows], self.query_bits[query])


class BitsProblem(Problem):
    """Float queries and a bit a value of the items; ours rounds the query to eight bits and gives each row its mean magnitude."""

    own_codes = True

    def __init__(self, case: Case, values: NDArray[np.float32], queries: NDArray[np.float32]) -> None:
        super().__init__(case, len(queries))
        self.values, self.queries = values, queries
        self.signs = values > 0
        self.scales = np.abs(values).mean(axis=1).astype(np.float16)
        steps = np.abs(queries).max(axis=1, keepdims=True) / np.float32(127)
        self.steps, self.whole = steps[:, 0], np.clip(np.rint(queries / steps), -127, 127)

    @cached_property
    def truth(self) -> Truth:
        """See `Problem`: by the codes that ours has."""

        def scores(part: slice) -> NDArray[np.float32]:
            dots = np.where(self.signs[part], np.float32(1), np.float32(-1)) @ self.whole.T
            found: NDArray[np.float32] = (self.scales[part].astype(np.float32)[:, None] * self.steps[None]) * dots
            return found

        return truth_of(self.case.rows, self.case.k, scores)

    def scores_of(self, query: int, rows: NDArray[np.int64]) -> NDArray[np.floating[Any]]:
        """See `Problem`."""
        dots = np.where(self.signs[rows], np.float32(1), np.float32(-1)) @ self.whole[query]
        scores: NDArray[np.float32] = (self.scales[rows].astype(np.float32) * self.steps[query]) * dots
        return scores

    @cached_property
    def _best(self) -> list[frozenset[int]]:
        found = truth_of(self.case.rows, self.case.k, lambda part: self.values[part] @ self.queries.T)
        return [frozenset(rows.tolist()) for rows in found.rows]

    def recall(self, number: int, rows: NDArray[Any]) -> float:
        """Return which share of an answer is among the best by fp32 scores."""
        best = self._best[self.part(number)]
        return float(np.mean([len(want & set(found)) for want, found in zip(best, rows.tolist(), strict=True)]) / self.case.k)


def _distances(bits: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how many bits differ, along the last axis."""
    found: NDArray[np.float32] = np.bitwise_count(bits ^ others).sum(axis=-1, dtype=np.float32)
    return found


PROBLEMS: dict[str, Callable[[Case, NDArray[np.float32], NDArray[np.float32]], Problem]] = {
    "int8": Int8Problem,
    "fp32": Fp32Problem,
    "hamming": HammingProblem,
    "bits": BitsProblem,
}
