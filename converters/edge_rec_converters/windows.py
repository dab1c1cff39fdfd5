"""Histories as the converters use them: rows of the catalogue, in batches that an encoder takes."""

from __future__ import annotations

__all__ = ["Gather", "Windows", "batches", "feed", "pad", "spread_over", "windows"]

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_rec_runtime.errors import DataError, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edge_rec_runtime import Catalogue, History
    from edge_rec_runtime.features import Feature

_TRIED = 7

Gather: TypeAlias = Callable[[NDArray[np.int64]], NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Users with at least one known event.

    Attributes:
        seen: For each user the rows of all known events, oldest first.
        targets: [users] int64 row of the held-out event, -1 where there is none or it is not in the catalogue.
        max_length: Events that the encoder looks back.
        context: For each context feature by name what the users have [users] or [users, length], encoded.
        given: The context of each user as it was given.
        unknown: Events that are not in the catalogue, and so in nobody's history here.
        left_out: Users without a known event, who are not here.
    """

    seen: tuple[NDArray[np.int64], ...]
    targets: NDArray[np.int64]
    max_length: int
    context: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    given: tuple[Mapping[str, object] | None, ...] = ()
    unknown: int = 0
    left_out: int = 0

    def __len__(self) -> int:
        """Return the number of users."""
        return len(self.seen)

    def __getitem__(self, user: int) -> NDArray[np.int64]:
        """Return the rows that a user's encoder is fed."""
        return self.seen[user][-self.max_length :]

    def lengths(self) -> NDArray[np.int64]:
        """Return the number of events [users] in each window."""
        return np.array([min(len(rows), self.max_length) for rows in self.seen])

    def remark(self, what: str) -> str:
        """Return a sentence on what of the histories the catalogue does not know, or an empty text."""
        if not self.unknown and not self.left_out:
            return ""
        left_out = f", and {self.left_out:,} histories hold no known item and were left out" if self.left_out else ""
        known = sum(map(len, self.seen))
        return f"{self.unknown:,} of {self.unknown + known:,} events of the {what} histories are not in the catalogue{left_out}"

    def allowed(self, user: int, items: int) -> NDArray[np.bool_]:
        """Return the rows [items] that may be recommended: nothing seen, and the target in any case."""
        allowed = np.ones(items, np.bool_)
        allowed[self.seen[user]] = False
        if self.targets[user] >= 0:
            allowed[self.targets[user]] = True
        return allowed


def windows(
    histories: Sequence[History],
    catalogue: Catalogue,
    *,
    max_length: int,
    cap: int,
    seed: int = 0,
    context: tuple[Feature, ...] = (),
) -> Windows:
    """Look histories up, and draw ``cap`` users where there are more.

    Raises:
        DataError: No history has an item of the catalogue, or one lacks a context feature.
    """
    chosen = list(histories)
    if len(chosen) > cap:
        drawn = np.random.default_rng(seed).choice(len(chosen), cap, replace=False)
        chosen = [chosen[user] for user in np.sort(drawn)]
    kept, seen, targets, unknown = [], [], [], 0
    for history in chosen:
        rows, strange = catalogue.rows(history.events)
        unknown += len(strange)
        if len(rows):
            target, _ = catalogue.rows(() if history.target is None else (history.target,))
            kept.append(history)
            seen.append(rows)
            targets.append(int(target[0]) if len(target) else -1)
    if not seen:
        raise DataError(
            f"none of the {len(histories)} histories has an item of the catalogue's {len(catalogue)}; "
            f"ids look like {catalogue.ids[0]!r} there, give histories with the same ids"
        )
    return Windows(
        seen=tuple(seen),
        targets=np.array(targets, np.int64),
        max_length=max_length,
        context={feature.name: _encoded(feature, kept) for feature in context},
        given=tuple(history.context if context else None for history in kept),
        unknown=unknown,
        left_out=len(chosen) - len(kept),
    )


def _encoded(feature: Feature, histories: Sequence[History]) -> NDArray[Any]:
    lacking = [history for history in histories if feature.name not in (history.context or {})]
    if lacking:
        raise DataError(
            f"{len(lacking)} of {len(histories)} histories have no {feature.name!r} in their context, and the model takes it; "
            f'give lines like {{"history": [...], "context": {{"{feature.name}": ...}}}}'
        )
    try:
        return feature.encode([(history.context or {})[feature.name] for history in histories])
    except RequestError as error:
        raise DataError(f"the histories' context: {error}") from None


def batches(users: Windows, size: int) -> Iterator[NDArray[np.int64]]:
    """Yield the users in batches of like length, so that little is padding."""
    order = np.argsort(users.lengths(), kind="stable")
    for start in range(0, len(order), size):
        yield order[start : start + size]


def pad(
    rows: Sequence[NDArray[np.int64]], gather: Gather, *, dims: int, length: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gather item vectors of several users, zeros after the end of each.

    Args:
        rows: For each user the rows of its window.
        gather: Returns the vectors [n, dims] of rows [n]; ``decode`` of an item table does.
        dims: Width of a vector.
        length: Length to pad to; the longest window unless given.

    Returns:
        Vectors [users, length, dims] and mask [users, length], both float32.
    """
    width = length or max(len(one) for one in rows)
    vectors = np.zeros((len(rows), width, dims), np.float32)
    mask = np.zeros((len(rows), width), np.float32)
    for user, one in enumerate(rows):
        vectors[user, : len(one)] = gather(one)
        mask[user, : len(one)] = 1
    return vectors, mask


def feed(
    users: Windows, chosen: Sequence[int] | NDArray[np.integer[Any]], gather: Gather, *, dims: int, length: int | None = None
) -> dict[str, NDArray[Any]]:
    """Return an encoder's inputs for some users, by name and in order: ``vectors``, ``mask``, the context.

    Args:
        users: All users.
        chosen: Which of them.
        gather: Returns the vectors [n, dims] of rows [n].
        dims: Width of a vector.
        length: Length to pad to; the longest window unless given.
    """
    vectors, mask = pad([users[user] for user in chosen], gather, dims=dims, length=length)
    return {"vectors": vectors, "mask": mask, **{name: values[np.asarray(chosen)] for name, values in users.context.items()}}


def spread_over(lengths: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """Return a few places, from the shortest to the longest, to try promises on."""
    order = np.argsort(lengths, kind="stable")
    return np.asarray(order[np.linspace(0, len(order) - 1, min(_TRIED, len(order))).astype(int)])
