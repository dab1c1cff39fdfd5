"""Small weights matter least."""

from __future__ import annotations

__all__ = ["Magnitude"]

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edge_rec.compress.prune.criteria.criterion import Subject, of_units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_rec.compress.prune.groups import Group


class Magnitude:
    """A weight's absolute value; of a unit, the length of all its weights."""

    needs_data: ClassVar[bool] = False

    def weights(self, subject: Subject) -> dict[str, NDArray[np.float32]]:
        """Return absolute values."""
        return {name: np.abs(values) for name, values in subject.values.items()}

    def units(self, subject: Subject, groups: Sequence[Group]) -> dict[str, NDArray[np.float32]]:
        """Return lengths."""
        return of_units(self.weights(subject), groups)
