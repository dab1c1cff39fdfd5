"""The held-out events of a run directory, as rows of a catalogue: what models of the same items are judged by."""

from __future__ import annotations

__all__ = ["HeldOutEvents"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from edge_rec.data import Sequences
from edge_rec.metrics import HeldOut, held_out
from edge_rec_runtime import read_histories
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec.models import Model
    from edge_rec_runtime import Catalogue, History


@dataclass(frozen=True, kw_only=True)
class HeldOutEvents:
    """What users did, and what each did next.

    Attributes:
        histories: As they stand in the file, those with a target.
        events: Their item rows.
        targets: [users] int32 item rows.
    """

    histories: tuple[History, ...]
    events: Sequences
    targets: NDArray[np.int32]

    @classmethod
    def read(cls, folder: Path, part: str, catalogue: Catalogue) -> Self:
        """Read ``validation`` or ``test`` of a run directory.

        Raises:
            DataError: The file is missing or damaged, names no target, or an item that the catalogue lacks.
        """
        path = folder / "heldout" / f"{part}.jsonl"
        found = tuple(one for one in read_histories(path) if one.target is not None)
        if not found:
            raise DataError(f"{path}: no history has a target, so nothing can be judged; train the model again")
        return cls.of(found, catalogue)

    @classmethod
    def of(cls, histories: Sequence[History], catalogue: Catalogue) -> Self:
        """Look histories up.

        Raises:
            DataError: They name an item that the catalogue lacks.
        """
        rows = {name: row for row, name in enumerate(catalogue.ids)}
        try:
            events = [[rows[event] for event in one.events] for one in histories]
            targets = np.array([rows[str(one.target)] for one in histories], dtype=np.int32)
        except KeyError as error:
            raise DataError(
                f"the held-out histories name item {error}, which the catalogue lacks; they are of another run"
            ) from None
        items = np.array([row for one in events for row in one], dtype=np.int32)
        offsets = np.concatenate([[0], np.cumsum([len(one) for one in events], dtype=np.int64)]).astype(np.int64)
        return cls(histories=tuple(histories), events=Sequences(items=items, offsets=offsets), targets=targets)

    def sample(self, count: int, catalogue: Catalogue, *, seed: int) -> Self:
        """Return ``count`` users drawn at random, or all where there are no more."""
        if count >= len(self.histories):
            return self
        drawn = np.sort(np.random.default_rng(seed).choice(len(self.histories), count, replace=False))
        return self.of([self.histories[user] for user in drawn], catalogue)

    def ask(self, model: Model) -> HeldOut:
        """Return where a model ranks each target, and its first ten items.

        Raises:
            ModelError: It gives scores that are not finite.
        """
        known: Mapping[str, list[str]] = {
            name: [str((one.context or {}).get(name) or "") for one in self.histories]
            for name in {name for one in self.histories for name in one.context or {}}
        }
        return held_out(model.source(), self.events, self.targets, k=10, users=known)
