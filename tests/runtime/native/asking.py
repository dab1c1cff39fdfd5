"""How tests ask kernels, and what numpy's reference answers."""

from __future__ import annotations

__all__ = ["Question", "answer_of", "expected_of", "questions"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from edge_rec_runtime.search import best

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_runtime import ItemTable
    from edge_rec_runtime.kernels import Kernel


@dataclass(frozen=True)
class Question:
    """Queries [batch, dims], which rows may be returned, how many are asked for, and how."""

    queries: NDArray[np.float32]
    allowed: NDArray[np.bool_] | None
    k: int
    threads: int


@st.composite
def questions(draw: st.DrawFn, rows: int, dims: int) -> Question:
    """Draw queries of all magnitudes, some with ties everywhere, and filters that forbid much or all."""
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    queries = source.normal(size=(draw(st.integers(1, 4)), dims))
    if draw(st.booleans()):
        queries = np.sign(queries)
    queries *= draw(st.sampled_from([0, 1e-42, 1, 1, 1, 1e20]))
    share = draw(st.sampled_from([None, None, 0.0, 0.01, 0.5, 1.0]))
    allowed = None if share is None else source.random(rows) < share
    k = draw(st.one_of(st.integers(1, 50), st.integers(1, 2 * rows)))
    return Question(queries.astype(np.float32), allowed, k, draw(st.integers(1, 3)))


def expected_of(
    table: ItemTable, query: NDArray[np.float32], question: Question
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the best rows and scores as numpy finds them."""
    scores = table.scores(query)
    rows = np.arange(table.rows) if question.allowed is None else np.flatnonzero(question.allowed)
    return best(rows, scores[rows], question.k)


def answer_of(kernel: Kernel, queries: NDArray[np.float32], question: Question) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return what a kernel finds for one query or a batch, cut to what it found."""
    shape = (*queries.shape[:-1], question.k)
    rows, scores = np.full(shape, -7, np.int64), np.full(shape, np.nan, np.float32)
    found = kernel.top_k(queries, question.k, rows, scores, question.allowed, question.threads)
    assert (rows[..., found:] == -7).all()
    return rows[..., :found], scores[..., :found]
