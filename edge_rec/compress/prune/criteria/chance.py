"""The control: what a criterion is worth shows beside one that knows nothing."""

from __future__ import annotations

__all__ = ["Chance", "drawn"]

import hashlib
from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_rec.compress.prune.criteria.criterion import Subject
    from edge_rec.compress.prune.groups import Group


class Chance:
    """Random numbers of the seed and the name: asked again while pruning is under way, they are the same."""

    needs_data: ClassVar[bool] = False

    def weights(self, subject: Subject) -> dict[str, NDArray[np.float32]]:
        """Return random scores from 0 to 1."""
        return {name: drawn(subject.seed, name, values.shape) for name, values in subject.values.items()}

    def units(self, subject: Subject, groups: Sequence[Group]) -> dict[str, NDArray[np.float32]]:
        """Return random scores from 0 to 1."""
        return {group.name: drawn(subject.seed, group.name, (group.units,)) for group in groups}


def drawn(seed: int, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return random scores from 0 to 1 that follow from seed and name."""
    words = np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype=np.uint32)
    return np.random.default_rng([seed, *words.tolist()]).random(shape, dtype=np.float32)
