"""Groups of users, and of what they were held out: who pays for a compression."""

from __future__ import annotations

__all__ = ["Group", "groups"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge_rec.compress.heldout import HeldOutEvents
    from edge_rec_runtime import Catalogue

_PARTS = 4
_MOST_WORDS = 8  # of an attribute: with more, a group is too small to tell anything
_BUCKETS = ("head", "middle", "tail")


@dataclass(frozen=True, kw_only=True)
class Group:
    """Some of the users.

    Attributes:
        by: What they are grouped by: ``history``, ``popularity``, or an attribute.
        name: Which of those groups.
        users: [users] bool, who is in it.
    """

    by: str
    name: str
    users: NDArray[np.bool_]


def groups(
    events: HeldOutEvents, catalogue: Catalogue, attributes: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[Group, ...]:
    """Return the groups of all users, those of nobody left out.

    By the length of the history, in quarters; by how popular the held-out item is, where the catalogue knows that: the most
    popular items that have a third of all events are the head, those with the last third the tail; and by each attribute with
    few words, or with numbers, which are cut in quarters.

    Args:
        events: The users.
        catalogue: Of the items.
        attributes: For each attribute its value by user id.
    """
    lengths = np.diff(events.events.offsets)
    found = _quarters("history", lengths.astype(np.float64), np.ones(len(lengths), np.bool_), unit=" events")
    if catalogue.popularity is not None:
        found += _by_popularity(catalogue.popularity, events.targets)
    for name, values in (attributes or {}).items():
        found += _by_attribute(name, [values.get(one.user or "", "") for one in events.histories])
    return tuple(group for group in found if group.users.any())


def _quarters(by: str, values: NDArray[np.float64], known: NDArray[np.bool_], *, unit: str = "") -> list[Group]:
    """Cut at the quartiles; equal values stay together, so that there may be fewer groups than four."""
    ends = np.unique(np.quantile(values[known], np.arange(1, _PARTS + 1) / _PARTS, method="inverted_cdf"))
    found, least = [], -np.inf
    for end in ends:
        users = known & (values > least) & (values <= end)
        low, high = values[users].min(), values[users].max()
        found.append(Group(by=by, name=(f"{low:g}" if low == high else f"{low:g} to {high:g}") + unit, users=users))
        least = end
    return found


def _by_popularity(counts: NDArray[np.uint32], targets: NDArray[np.int32]) -> list[Group]:
    order = np.argsort(-counts.astype(np.int64), kind="stable")
    before = np.cumsum(counts[order], dtype=np.float64) - counts[order]  # events of the items that are more popular
    bucket = np.empty(len(counts), np.int64)
    bucket[order] = np.minimum(before / max(float(counts.sum()), 1.0) * len(_BUCKETS), len(_BUCKETS) - 1).astype(np.int64)
    return [
        Group(by="popularity", name=f"{name}, {int((bucket == place).sum())} items", users=bucket[targets] == place)
        for place, name in enumerate(_BUCKETS)
    ]


def _by_attribute(by: str, words: Sequence[str]) -> list[Group]:
    known = np.array([bool(word) for word in words])
    distinct = sorted(set(words) - {""}, key=lambda word: (_number(word) is None, _number(word) or 0.0, word))
    if not distinct:
        return []
    if len(distinct) <= _MOST_WORDS:
        return [Group(by=by, name=word, users=np.array([one == word for one in words])) for word in distinct]
    numbers = [_number(word) for word in distinct]
    if any(one is None for one in numbers):
        return []
    return _quarters(by, np.array([_number(word) or 0.0 for word in words]), known)


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
