"""Few shapes instead of many: lengths and batches are padded to the next of a short row, so that an engine plans few."""

from __future__ import annotations

__all__ = ["LARGEST_BATCH", "SHORTEST_BUCKET", "batch_bucket", "bucket", "pad_words"]

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORTEST_BUCKET = 8  # events; histories are padded to this or to a doubling of it, up to the model's window
LARGEST_BATCH = 256  # candidates that a ranker scores at once; more are scored in turn


def bucket(events: int, longest: int) -> int:
    """Return the length that a history of so many events is padded to."""
    return min(max(SHORTEST_BUCKET, 1 << (events - 1).bit_length()), longest)


def batch_bucket(candidates: int) -> int:
    """Return the batch that so many candidates, at most `LARGEST_BATCH`, are padded to; one stays alone."""
    return 1 if candidates == 1 else bucket(candidates, LARGEST_BATCH)


def pad_words(indexes: NDArray[np.int32], longest: int) -> NDArray[np.int32]:
    """Return lists of words [rows, length] int32 with zeros after their end, in the length of their bucket."""
    length = bucket(indexes.shape[1], longest)
    return np.pad(indexes, ((0, 0), (0, length - indexes.shape[1])))
