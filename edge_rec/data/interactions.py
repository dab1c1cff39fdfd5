"""An interaction log in memory, and the two shapes the rest of the toolkit takes from it: sequences and a split."""

from __future__ import annotations

__all__ = ["Interactions", "Sequences", "Split"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Interactions:
    """Who met what, when, in the order of the file.

    Attributes:
        users: [events] int32, rows of ``user_ids``.
        items: [events] int32, rows of ``item_ids``.
        timestamps: [events] int64 in the log's own unit, mostly seconds since 1970; only their order counts.
        user_ids: The ids as they stood in the log.
        item_ids: The same for items.
        ratings: [events] float32 in the log's own scale, or None where it has none.
        repeats: Rows of the log that were left out because they repeat another's user, item and time.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    timestamps: NDArray[np.int64]
    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    ratings: NDArray[np.float32] | None = None
    repeats: int = 0

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.users)


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """One sequence of item rows a user, oldest first, laid end to end.

    Attributes:
        items: [events] int32.
        offsets: [users + 1] int64; user ``u`` has ``items[offsets[u]:offsets[u + 1]]``.
    """

    items: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of users."""
        return len(self.offsets) - 1

    def __getitem__(self, user: int) -> NDArray[np.int32]:
        """Return the item rows of one user, a view."""
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        """Yield the item rows of each user."""
        return (self[user] for user in range(len(self)))


@dataclass(frozen=True, kw_only=True)
class Split:
    """Leave-one-out by time: a user's last event is the test target, the one before it the validation target.

    Attributes:
        train: What is left of each user.
        validation: [users] int32, the validation target; its history is ``train``.
        test: [users] int32, the test target; its history is ``test_histories``: ``train`` and the validation event.
        test_histories: One sequence a user.
        user_ids: Ids of the users, in row order.
        item_ids: Ids of the items, in row order.
        user_attributes: What is known of the users: for each attribute (``"gender"``) its value for each of them, in row
            order, "" where it is not known.
    """

    train: Sequences
    validation: NDArray[np.int32]
    test: NDArray[np.int32]
    test_histories: Sequences
    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    user_attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
