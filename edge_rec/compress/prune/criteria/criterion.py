"""What a pruning criterion is: from a model to a score for every weight or unit, high for what should stay."""

from __future__ import annotations

__all__ = ["Criterion", "Subject", "of_units"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from edge_rec.models.network import Network
from edge_rec_runtime.errors import CompressionError, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge_rec.compress.prune.evidence import Evidence
    from edge_rec.compress.prune.groups import Group
    from edge_rec.models import Model


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is judged.

    Attributes:
        model: The model, its pruned weights being 0.
        values: The matrices that may be pruned, by name; where pruning is under way, with the values that pruned weights would
            have if they came back.
        evidence: The sample of the log, or None where none was given.
        seed: Of random choices.
    """

    model: Model
    values: Mapping[str, NDArray[np.float32]]
    evidence: Evidence | None
    seed: int

    def seen(self, criterion: str) -> tuple[Network, Evidence]:
        """Return the network and the sample, for criteria that look at data.

        Raises:
            DataError: No data were given.
            CompressionError: The model is no network that is trained step by step.
        """
        if self.evidence is None:
            raise DataError(f"prune: criterion={criterion} looks at data, and none was given; name the log with --dataset")
        if not isinstance(self.model, Network):
            raise CompressionError(
                f"prune: criterion={criterion} follows a network through its training, which {self.model.name} is not; "
                "use criterion=magnitude"
            )
        return self.model, self.evidence


class Criterion(Protocol):
    """One way to judge.

    Attributes:
        needs_data: Whether it looks at the log.
    """

    needs_data: ClassVar[bool]

    def weights(self, subject: Subject) -> dict[str, NDArray[np.float32]]:
        """Return a score for each weight of ``subject.values``, high for what should stay."""

    def units(self, subject: Subject, groups: Sequence[Group]) -> dict[str, NDArray[np.float32]]:
        """Return a score for each unit [units] of each group, by its name."""


def of_units(scores: Mapping[str, NDArray[np.float32]], groups: Sequence[Group]) -> dict[str, NDArray[np.float32]]:
    """Return the root of each unit's summed squares, over those of its weights that have a score."""
    return {
        group.name: np.sqrt(
            sum(place.sums(np.square(scores[place.parameter])) for place in group.places if place.parameter in scores)
        ).astype(np.float32)
        for group in groups
    }
