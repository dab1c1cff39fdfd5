"""How far training has moved a weight from where it started, in units of its layer's range: |dw| / (max - min).

The first weights are not stored: they follow from the options, the catalogue and the seed of the training. Whether it was that
seed shows in the weights themselves, which still resemble their start a little.
"""

from __future__ import annotations

__all__ = ["WeightChange"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edge_rec.compress.prune.criteria.criterion import Subject, of_units
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge_rec.compress.prune.groups import Group
    from edge_rec.models.network import Network

_ALIKE = 5.0  # standard deviations of the correlation that two unrelated starts would have


@dataclass(frozen=True)
class WeightChange:
    """The change since the start of training.

    Attributes:
        least: Whether the weights that changed least stay, instead of those that changed most.
    """

    needs_data: ClassVar[bool] = True
    least: bool = False

    def weights(self, subject: Subject) -> dict[str, NDArray[np.float32]]:
        """Return the change of each weight by its layer's range, or 1 minus it where the least changed stay."""
        model, evidence = subject.seen("weight-change")
        initial = _initial(model, evidence.initial_seed, subject.values)
        changes = {}
        for name, values in subject.values.items():
            moved = np.abs(values - initial[name]) / max(float(np.ptp(values)), 1e-30)
            changes[name] = (np.maximum(1 - moved, 0) if self.least else moved).astype(np.float32)
        return changes

    def units(self, subject: Subject, groups: Sequence[Group]) -> dict[str, NDArray[np.float32]]:
        """Return the root of the summed squares over a unit's matrices."""
        return of_units(self.weights(subject), groups)


def _initial(model: Network, seed: int, values: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Return the weights that training with this seed began with.

    Raises:
        CompressionError: The model has been reshaped since, or its training began elsewhere.
    """
    start = type(model).built(
        {name: one for name, one in model.describe().items() if name != "structure"}, model.catalogue, seed=seed
    )
    initial = start.weights()
    for name, now in values.items():
        if name not in initial or initial[name].shape != now.shape:
            raise CompressionError(
                f"prune: criterion=weight-change needs the shape that training began with, and {name} has been reshaped since; "
                "prune by it before other steps"
            )
    before = np.concatenate([initial[name].ravel() / initial[name].std() for name in values])
    after = np.concatenate([now.ravel() / max(float(now.std()), 1e-30) for now in values.values()])
    alike = float(np.corrcoef(before, after)[0, 1])
    if not alike > _ALIKE / np.sqrt(len(before)):
        raise CompressionError(
            f"prune: criterion=weight-change: nothing of the first weights of seed {seed} is left in this model (correlation "
            f"{alike:.4f}), so training began with others; give the seed that the model was trained with as initial_seed="
        )
    return initial
