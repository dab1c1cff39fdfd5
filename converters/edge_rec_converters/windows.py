"""Histories as the converters use them: rows of the catalogue, in batches that an encoder takes."""

from __future__ import annotations

__all__ = ["Windows", "batches", "pad", "windows"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from edge_rec_runtime import Catalogue, History


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Users with at least one known event.

    Attributes:
        seen: For each user the rows of all known events, oldest first.
        targets: [users] int64 row of the held-out event, -1 where there is none or it is not in the catalogue.
        max_length: Events that the encoder looks back.
    """

    seen: tuple[NDArray[np.int64], ...]
    targets: NDArray[np.int64]
    max_length: int

    def __len__(self) -> int:
        """Return the number of users."""
        return len(self.seen)

    def __getitem__(self, user: int) -> NDArray[np.int64]:
        """Return the rows that a user's encoder is fed."""
        return self.seen[user][-self.max_length :]

    def lengths(self) -> NDArray[np.int64]:
        """Return the number of events [users] in each window."""
        return np.array([min(len(rows), self.max_length) for rows in self.seen])

    def allowed(self, user: int, items: int) -> NDArray[np.bool_]:
        """Return the rows [items] that may be recommended: nothing seen, and the target in any case."""
        allowed = np.ones(items, np.bool_)
        allowed[self.seen[user]] = False
        if self.targets[user] >= 0:
            allowed[self.targets[user]] = True
        return allowed


def windows(histories: Sequence[History], catalogue: Catalogue, *, max_length: int, cap: int, seed: int = 0) -> Windows:
    """Look histories up, and draw ``cap`` users where there are more.

    Raises:
        DataError: No history has an item of the catalogue.
    """
    chosen = list(histories)
    if len(chosen) > cap:
        drawn = np.random.default_rng(seed).choice(len(chosen), cap, replace=False)
        chosen = [chosen[user] for user in np.sort(drawn)]
    seen, targets = [], []
    for history in chosen:
        rows, _ = catalogue.rows(history.events)
        if len(rows):
            target, _ = catalogue.rows(() if history.target is None else (history.target,))
            seen.append(rows)
            targets.append(int(target[0]) if len(target) else -1)
    if not seen:
        raise DataError(
            f"none of the {len(histories)} histories has an item of the catalogue's {len(catalogue)}; "
            f"ids look like {catalogue.ids[0]!r} there, give histories with the same ids"
        )
    return Windows(seen=tuple(seen), targets=np.array(targets, np.int64), max_length=max_length)


def batches(users: Windows, size: int) -> Iterator[NDArray[np.int64]]:
    """Yield the users in batches of like length, so that little is padding."""
    order = np.argsort(users.lengths(), kind="stable")
    for start in range(0, len(order), size):
        yield order[start : start + size]


def pad(
    rows: Sequence[NDArray[np.int64]], table: NDArray[np.float32], *, length: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Gather item vectors of several users, zeros after the end of each.

    Args:
        rows: For each user the rows of its window.
        table: [items, dims] float32.
        length: Length to pad to; the longest window unless given.

    Returns:
        Vectors [users, length, dims] and mask [users, length], both float32.
    """
    width = length or max(len(one) for one in rows)
    vectors = np.zeros((len(rows), width, table.shape[1]), np.float32)
    mask = np.zeros((len(rows), width), np.float32)
    for user, one in enumerate(rows):
        vectors[user, : len(one)] = table[one]
        mask[user, : len(one)] = 1
    return vectors, mask
