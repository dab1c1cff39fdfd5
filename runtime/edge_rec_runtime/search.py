"""Exact top-K over an item table, and the cheap scan whose best candidates are scored again.

A table that has a kernel in C is searched by it; the numpy reference beside it gives the same rows and scores, answers where
there is no kernel, and says what is wrong with what a kernel refuses.
"""

from __future__ import annotations

__all__ = ["CANDIDATES_PER_RESULT", "CANDIDATE_FLOOR", "best", "finite_scores", "search", "top_k", "top_k_batch"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_runtime.errors import BundleError, RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_runtime.codes import ItemTable, NeighbourTable
    from edge_rec_runtime.kernels import Kernel

CANDIDATES_PER_RESULT = 10  # a binary scan keeps this many candidates for each result asked for,
CANDIDATE_FLOOR = 100  # and never fewer than this: at k = 10 the rescored 100 are what the format's quality is stated for

_MOST_THREADS = 64  # that a kernel takes


def top_k(
    table: ItemTable | NeighbourTable,
    query: NDArray[Any],
    k: int,
    *,
    allowed: NDArray[np.bool_] | None = None,
    threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the k best rows of a table and their scores, best first; equal scores in row order.

    Args:
        table: The items.
        query: [dims] float32, or what the table's ``scores`` takes.
        k: At most so many; fewer are returned where fewer are allowed.
        allowed: [rows] bool, the rows that may be returned; all unless given.
        threads: A kernel may share a long table among so many.

    Returns:
        rows [found] int64, scores [found] float32.

    Raises:
        RequestError: k is below 1, or the query or ``allowed`` does not fit the table.
        BundleError: The table gives scores that are not finite.
    """
    _check(table, k, allowed, threads)
    if table.kernel is not None:
        answer = _by_kernel(table.kernel, query, (min(k, table.rows),), allowed, threads)
        if answer is not None:
            return answer
    scores = finite_scores(table, query)
    rows = np.arange(table.rows) if allowed is None else np.flatnonzero(allowed)
    return best(rows, scores if allowed is None else scores[rows], k)


def top_k_batch(
    table: ItemTable,
    queries: NDArray[np.float32],
    k: int,
    *,
    allowed: NDArray[np.bool_] | None = None,
    threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return what `top_k` gives for each of the queries [batch, dims], which share the reading of the table.

    Returns:
        rows [batch, found] int64, scores [batch, found] float32.

    Raises:
        RequestError: See `top_k`.
        BundleError: See `top_k`.
    """
    if queries.ndim != 2:
        raise RequestError(f"the queries have shape {list(queries.shape)}; expected [batch, {table.dims}]")
    _check(table, k, allowed, threads)
    most = min(k, table.rows)
    if table.kernel is not None:
        answer = _by_kernel(table.kernel, queries, (len(queries), most), allowed, threads)
        if answer is not None:
            return answer
    found = most if allowed is None else min(most, int(np.count_nonzero(allowed)))
    rows, scores = np.empty((len(queries), found), np.int64), np.empty((len(queries), found), np.float32)
    for place, query in enumerate(queries):
        rows[place], scores[place] = top_k(table, query, k, allowed=allowed)
    return rows, scores


def _check(table: ItemTable | NeighbourTable, k: int, allowed: NDArray[np.bool_] | None, threads: int) -> None:
    if k < 1:
        raise RequestError(f"k is {k}; ask for at least 1 item")
    if threads < 1:
        raise RequestError(f"threads is {threads}; a search needs at least 1")
    if allowed is not None and (allowed.shape != (table.rows,) or allowed.dtype != np.bool_):
        raise RequestError(f"allowed is {allowed.dtype} {list(allowed.shape)}; expected bool [{table.rows}], one a row")


def _by_kernel(
    kernel: Kernel, query: NDArray[Any], shape: tuple[int, ...], allowed: NDArray[np.bool_] | None, threads: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]] | None:
    """Return rows and scores, at most ``shape`` = [k] or [batch, k], or None if the kernel does not take this query."""
    rows, scores = np.empty(shape, np.int64), np.empty(shape, np.float32)
    try:
        found = kernel.top_k(query, shape[-1], rows, scores, allowed, min(threads, _MOST_THREADS))
    except (TypeError, ValueError, OverflowError):
        return None
    return (rows, scores) if found == shape[-1] else (rows[..., :found], scores[..., :found])


def finite_scores(table: ItemTable | NeighbourTable, query: NDArray[Any]) -> NDArray[np.float32]:
    """Return the score [rows] float32 of every item.

    Raises:
        BundleError: The table gives scores that are not finite.
    """
    scores = table.scores(query)
    if not np.isfinite(scores).all():
        raise BundleError(
            f"the {table.layout} table gives scores that are not finite; the bundle is damaged, copy or convert it again"
        )
    return scores


def best(rows: NDArray[np.int64], scores: NDArray[np.float32], k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the k best of scored rows, best first; equal scores in the order of ``rows``, which must ascend."""
    if k < len(rows):
        threshold = np.partition(scores, len(rows) - k)[len(rows) - k]
        above = np.flatnonzero(scores > threshold)
        ties = np.flatnonzero(scores == threshold)[: k - len(above)]
        kept = np.sort(np.concatenate([above, ties]))
        rows, scores = rows[kept], scores[kept]
    order = np.argsort(-scores, kind="stable")
    return rows[order], scores[order]


def search(
    items: ItemTable,
    query: NDArray[np.float32],
    k: int,
    *,
    rescore: ItemTable | None = None,
    allowed: NDArray[np.bool_] | None = None,
    threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the k best rows: of the scanned table, or, with ``rescore``, of its best candidates by their exact scores.

    The candidates are ``max(CANDIDATES_PER_RESULT * k, CANDIDATE_FLOOR)``; the scores are then the rescore table's.
    """
    if rescore is None:
        return top_k(items, query, k, allowed=allowed, threads=threads)
    _check(items, k, allowed, threads)
    wanted = max(CANDIDATES_PER_RESULT * k, CANDIDATE_FLOOR)
    answer = _by_two_kernels(items, rescore, query, (min(k, items.rows), wanted), allowed, threads)
    if answer is not None:
        return answer
    candidates, _ = top_k(items, query, wanted, allowed=allowed, threads=threads)
    candidates.sort()
    rows, scores = top_k(rescore.take(candidates), query, k) if len(candidates) else (candidates, np.empty(0, np.float32))
    return candidates[rows], scores


def _by_two_kernels(  # noqa: PLR0917
    items: ItemTable,
    rescore: ItemTable,
    query: NDArray[np.float32],
    sizes: tuple[int, int],
    allowed: NDArray[np.bool_] | None,
    threads: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]] | None:
    """Return what `search` does for ``sizes`` = (k, candidates) in one call of the kernels, or None if they do not take it."""
    rescored, exact = getattr(items.kernel, "rescored", None), rescore.kernel
    if rescored is None or exact is None:
        return None
    k, candidates = sizes
    rows, scores = np.empty(k, np.int64), np.empty(k, np.float32)
    try:
        found = rescored(exact, query, query, candidates, k, rows, scores, allowed, min(threads, _MOST_THREADS))
    except (TypeError, ValueError, OverflowError):
        return None
    return (rows, scores) if found == k else (rows[:found], scores[:found])
