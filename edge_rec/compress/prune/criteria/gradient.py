"""What the loss would gain, to first order, if a weight were 0: |w dL/dw|.

Molchanov et al., "Importance Estimation for Neural Network Pruning" (CVPR 2019). The gradient over the whole log is nearly 0
in a model that has converged: it is taken over few users at a time, and the absolute values are averaged.
"""

from __future__ import annotations

__all__ = ["Gradient"]

from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_rec.compress.prune.criteria.criterion import Subject
    from edge_rec.compress.prune.groups import Group


class Gradient:
    """First-order Taylor expansion of the loss; of a unit, that of all its weights going together."""

    needs_data: ClassVar[bool] = True

    def weights(self, subject: Subject) -> dict[str, NDArray[np.float32]]:
        """Return the mean |w dL/dw| over the sample."""
        model, evidence = subject.seen("gradient")
        total = {name: np.zeros_like(values) for name, values in subject.values.items()}
        for count, gradients in enumerate(evidence.gradients(model), start=1):
            for name in set(total) & set(gradients):
                total[name] += (np.abs(subject.values[name] * gradients[name]) - total[name]) / count
        return total

    def units(self, subject: Subject, groups: Sequence[Group]) -> dict[str, NDArray[np.float32]]:
        """Return the mean |sum of w dL/dw| over the sample, the sum over a unit's weights at the place where it speaks."""
        model, evidence = subject.seen("gradient")
        total = {group.name: np.zeros(group.units) for group in groups}
        for count, gradients in enumerate(evidence.gradients(model), start=1):
            for group in groups:
                place = group.silent
                effect = np.abs(place.sums(subject.values[place.parameter] * gradients[place.parameter]))
                total[group.name] += (effect - total[group.name]) / count
        return {name: values.astype(np.float32) for name, values in total.items()}
