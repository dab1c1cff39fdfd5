"""One user at a time: the source's scores and the bundle's, and what both would recommend."""

from __future__ import annotations

__all__ = ["Agreement", "compare"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime import top_k

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_converters.reference import Reference
    from edge_rec_runtime import Progress
    from edge_rec_runtime.recommender import Recommender

_K = 10
_CORRELATED = 100
_REPORTED_EVERY = 50


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Both sides for every user; lists of items are padded with -1.

    Attributes:
        source_top: [users, 10] rows.
        bundle_top: [users, 10] rows.
        source_tail: [users, 10] rows of the less popular half, or None.
        bundle_tail: The same of the bundle.
        queries: [users, dims] the bundle's queries.
        error_mean: [users] in standard deviations of the source's scores.
        error_max: [users] in the same unit.
        correlation: [users] Spearman over the source's best hundred.
    """

    source_top: NDArray[np.int64]
    bundle_top: NDArray[np.int64]
    source_tail: NDArray[np.int64] | None
    bundle_tail: NDArray[np.int64] | None
    queries: NDArray[np.float32]
    error_mean: NDArray[np.float64]
    error_max: NDArray[np.float64]
    correlation: NDArray[np.float64]


def compare(bundle: Recommender, reference: Reference, *, progress: Progress) -> Agreement:
    """Ask both for every user of the reference."""
    users, table = reference.users, reference.table
    count, items = len(users), table.rows
    tail = _tail(bundle.catalogue.popularity)
    tops = np.full((4, count, _K), -1, np.int64)
    queries = np.empty((count, table.dims), np.float32)
    errors = np.zeros((3, count))
    for user in range(count):
        queries[user] = bundle.encode(*bundle.gather(users.seen[user]))[0]
        allowed = users.allowed(user, items)
        wanted, found = table.scores(reference.queries[user]), bundle.exact.scores(queries[user])
        errors[:, user] = _differences(wanted, found, allowed)
        _fill(tops[0, user], top_k(table, reference.queries[user], _K, allowed=allowed)[0])
        _fill(tops[1, user], bundle.search(queries[user], _K, allowed)[0])
        if tail is not None:
            _fill(tops[2, user], top_k(table, reference.queries[user], _K, allowed=allowed & tail)[0])
            _fill(tops[3, user], bundle.search(queries[user], _K, allowed & tail)[0])
        if (user + 1) % _REPORTED_EVERY == 0 or user + 1 == count:
            progress(user + 1, count, "verify")
    return Agreement(
        source_top=tops[0],
        bundle_top=tops[1],
        source_tail=None if tail is None else tops[2],
        bundle_tail=None if tail is None else tops[3],
        queries=queries,
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
    best = candidates[np.argsort(-wanted[candidates], kind="stable")[:_CORRELATED]]
    ranks = np.argsort(np.argsort(-found[best], kind="stable"), kind="stable")
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
