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

    from numpy.typing import NDArray

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
    """

    users: Tensor
    rows: Tensor
    events: Tensor
    targets: Tensor


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
        parts = [(int(user), _part(sequences[user], max_length + 1, rng)) for user in order[start : start + users]]
        parts.sort(key=lambda part: len(part[1]))
        yield [_window(parts[first : first + _TOGETHER]) for first in range(0, len(parts), _TOGETHER)]


def _part(history: NDArray[np.int32], size: int, rng: np.random.Generator) -> NDArray[np.int32]:
    latest = max(len(history) - size, 0)
    start = latest if rng.random() < 0.5 else int(rng.integers(latest + 1))
    return history[start : start + size]


def _window(parts: list[tuple[int, NDArray[np.int32]]]) -> Window:
    rows = np.zeros((len(parts), len(parts[-1][1]) - 1), dtype=np.int64)
    events = np.zeros(rows.shape, dtype=bool)
    for line, (_, part) in enumerate(parts):
        rows[line, : len(part) - 1] = part[:-1]
        events[line, : len(part) - 1] = True
    users = torch.tensor([user for user, _ in parts])
    targets = np.concatenate([part[1:] for _, part in parts]).astype(np.int64)
    return Window(users=users, rows=torch.from_numpy(rows), events=torch.from_numpy(events), targets=torch.from_numpy(targets))
