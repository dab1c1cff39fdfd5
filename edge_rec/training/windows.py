"""Windows of histories, padded and sorted by length: what one step of training looks at."""

from __future__ import annotations

__all__ = ["Window", "batches"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_rec.data import Sequences

_TOGETHER = 16  # users padded to one length


@dataclass(frozen=True, kw_only=True)
class Window:
    """A few histories of about the same length, each event to be foretold from those before it.

    Attributes:
        users: [users] int64 rows of the users.
        rows: [users, length] int64 item rows, oldest first; 0 after the end.
        events: [users, length] bool, where there is an event.
        targets: [events] int64, the item that follows each event, user by user.
        positions: [events] int64, where in the log (``Sequences.items``) each target stands; the event before it is the last
            that its query knows.
    """

    users: Tensor
    rows: Tensor
    events: Tensor
    targets: Tensor
    positions: Tensor


def batches(sequences: Sequences, *, max_length: int, users: int, rng: np.random.Generator) -> Iterator[list[Window]]:
    """Yield every user once, in random order, ``users`` at a time.

    A history that is longer than the window gives its last part, or with even chance a random part of it: the first is what
    the model will be asked about, the second is what keeps it from learning the ends by heart.

    Args:
        sequences: One history a user.
        max_length: Events in a window.
        users: Histories in a step.
        rng: Decides the order and the parts.
    """
    order = rng.permutation(np.flatnonzero(np.diff(sequences.offsets) >= 2))
    for start in range(0, len(order), users):
        parts = [_part(sequences, int(user), max_length + 1, rng) for user in order[start : start + users]]
        parts.sort(key=lambda part: part.stop - part.start)
        yield [_window(sequences, parts[first : first + _TOGETHER]) for first in range(0, len(parts), _TOGETHER)]


@dataclass(frozen=True)
class _Part:
    """A stretch of one user's events, from ``start`` to before ``stop`` in the log."""

    user: int
    start: int
    stop: int


def _part(sequences: Sequences, user: int, size: int, rng: np.random.Generator) -> _Part:
    first, end = int(sequences.offsets[user]), int(sequences.offsets[user + 1])
    latest = max(end - first - size, 0)
    start = first + (latest if rng.random() < 0.5 else int(rng.integers(latest + 1)))
    return _Part(user, start, min(start + size, end))


def _window(sequences: Sequences, parts: list[_Part]) -> Window:
    rows = np.zeros((len(parts), parts[-1].stop - parts[-1].start - 1), dtype=np.int64)
    events = np.zeros(rows.shape, dtype=bool)
    for line, part in enumerate(parts):
        count = part.stop - part.start - 1
        rows[line, :count] = sequences.items[part.start : part.stop - 1]
        events[line, :count] = True
    positions = np.concatenate([np.arange(part.start + 1, part.stop) for part in parts])
    return Window(
        users=torch.tensor([part.user for part in parts]),
        rows=torch.from_numpy(rows),
        events=torch.from_numpy(events),
        targets=torch.from_numpy(sequences.items[positions].astype(np.int64)),
        positions=torch.from_numpy(positions),
    )
