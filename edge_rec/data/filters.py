"""Filters on interaction logs: what is too rare to learn from goes, until nothing more has to."""

from __future__ import annotations

__all__ = ["k_core"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec.data.interactions import Interactions
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def k_core(interactions: Interactions, k: int = 5) -> Interactions:
    """Drop users and items with fewer than ``k`` events, again and again until every one that is left has ``k``.

    The order of events, users and items stays what it was; rows are numbered anew.

    Raises:
        DataError: Nothing is left.
    """
    keep = np.ones(len(interactions), dtype=bool)
    while True:
        users = np.bincount(interactions.users[keep], minlength=len(interactions.user_ids))
        items = np.bincount(interactions.items[keep], minlength=len(interactions.item_ids))
        still = keep & (users[interactions.users] >= k) & (items[interactions.items] >= k)
        if still.sum() == keep.sum():
            break
        keep = still
    if not keep.any():
        raise DataError(
            f"no event is left of {len(interactions)} when every user and item must have {k}; use a smaller k, or a longer log"
        )
    user_rows, user_ids = _renumbered(interactions.users[keep], interactions.user_ids)
    item_rows, item_ids = _renumbered(interactions.items[keep], interactions.item_ids)
    return Interactions(
        users=user_rows,
        items=item_rows,
        timestamps=interactions.timestamps[keep],
        user_ids=user_ids,
        item_ids=item_ids,
        ratings=None if interactions.ratings is None else interactions.ratings[keep],
    )


def _renumbered(rows: NDArray[np.int32], ids: tuple[str, ...]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    present, new_rows = np.unique(rows, return_inverse=True)
    return new_rows.astype(np.int32), tuple(ids[row] for row in present)
