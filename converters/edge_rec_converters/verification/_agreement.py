"""One user at a time: the source's scores and the bundle's, and what both would recommend."""

from __future__ import annotations

__all__ = ["Agreement", "Answer", "answered", "compare"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_rec_runtime.search import best

if TYPE_CHECKING:
    from edge_rec_converters.windows import Windows
    from edge_rec_runtime import Progress
    from edge_rec_runtime.recommender import Recommender

_K = 10
_CORRELATED = 100
_REPORTED_EVERY = 50

Search: TypeAlias = Callable[[int, NDArray[np.bool_]], NDArray[np.int64]]


@dataclass(frozen=True)
class Answer:
    """What a bundle makes of one user.

    Attributes:
        scores: [items] float32 of every item.
        search: Returns the k best rows of those that are allowed [items], best first, as the device finds them.
    """

    scores: NDArray[np.float32]
    search: Search


def answered(opened: Recommender, query: NDArray[Any]) -> Answer:
    """Return what an open bundle makes of a query that its `encode` gave."""
    return Answer(opened.exact.scores(query), lambda k, allowed: opened.search(query, k, allowed)[0])


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Both sides for every user; lists of items are padded with -1.

    Attributes:
        source_top: [users, 10] rows.
        bundle_top: [users, 10] rows.
        source_tail: [users, 10] rows of the less popular half, or None.
        bundle_tail: The same of the bundle.
        error_mean: [users] in standard deviations of the source's scores.
        error_max: [users] in the same unit.
        correlation: [users] Spearman over the source's best hundred.
    """

    source_top: NDArray[np.int64]
    bundle_top: NDArray[np.int64]
    source_tail: NDArray[np.int64] | None
    bundle_tail: NDArray[np.int64] | None
    error_mean: NDArray[np.float64]
    error_max: NDArray[np.float64]
    correlation: NDArray[np.float64]


def compare(
    users: Windows,
    *,
    source: Callable[[int], NDArray[np.float32]],
    bundle: Callable[[int], Answer],
    popularity: NDArray[np.uint32] | None,
    progress: Progress,
) -> Agreement:
    """Ask both for every user.

    Args:
        users: The users, with everything that they have seen.
        source: Returns the source's score [items] of every item for a user.
        bundle: Returns the bundle's answer for a user.
        popularity: [items] how often each item was met, where that is known.
        progress: Told how many users are done.
    """
    count, tail = len(users), _tail(popularity)
    tops = np.full((4, count, _K), -1, np.int64)
    errors = np.zeros((3, count))
    for user in range(count):
        wanted, answer = source(user), bundle(user)
        allowed = users.allowed(user, len(wanted))
        errors[:, user] = _differences(wanted, answer.scores, allowed)
        for at, among in ((0, allowed), *(() if tail is None else ((2, allowed & tail),))):
            rows = np.flatnonzero(among)
            _fill(tops[at, user], best(rows, wanted[rows], _K)[0])
            _fill(tops[at + 1, user], answer.search(_K, among))
        if (user + 1) % _REPORTED_EVERY == 0 or user + 1 == count:
            progress(user + 1, count, "verify")
    return Agreement(
        source_top=tops[0],
        bundle_top=tops[1],
        source_tail=None if tail is None else tops[2],
        bundle_tail=None if tail is None else tops[3],
        error_mean=errors[0],
        error_max=errors[1],
        correlation=errors[2],
    )


def _tail(popularity: NDArray[np.uint32] | None) -> NDArray[np.bool_] | None:
    """Return the less popular half of the items [items]; of equal counts the later rows."""
    if popularity is None:
        return None
    tail = np.zeros(len(popularity), np.bool_)
    tail[np.argsort(-popularity.astype(np.int64), kind="stable")[len(popularity) // 2 :]] = True
    return tail


def _differences(
    wanted: NDArray[np.float32], found: NDArray[np.float32], allowed: NDArray[np.bool_]
) -> tuple[float, float, float]:
    """Return mean and largest difference of the scores, in standard deviations, and the correlation of the best ranks."""
    difference = np.abs(found - wanted)
    spread = float(wanted.std()) or 1.0
    candidates = np.flatnonzero(allowed)
    top, _ = best(candidates, wanted[candidates], _CORRELATED)
    ranks = np.argsort(np.argsort(-found[top], kind="stable"), kind="stable")
    return float(difference.mean()) / spread, float(difference.max()) / spread, _spearman(ranks)


def _spearman(ranks: NDArray[np.int64]) -> float:
    """Return the correlation of ranks with 0, 1, 2, ..."""
    count = len(ranks)
    if count < 2:
        return 1.0
    squares = float(((ranks - np.arange(count)) ** 2).sum())
    return 1.0 - 6.0 * squares / (count * (count * count - 1))


def _fill(row: NDArray[np.int64], found: NDArray[np.int64]) -> None:
    row[: len(found)] = found
