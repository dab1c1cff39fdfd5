"""What hardly varies tells little: a constant can be learnt into a bias.

A weight's contribution is its input times itself, and what varies of it is the input's standard deviation times itself.
"""

from __future__ import annotations

__all__ = ["Variance", "inputs_of"]

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge_rec.compress.prune.criteria.criterion import Subject
    from edge_rec.compress.prune.groups import Group


class Variance:
    """The standard deviation of what a weight or a unit adds, over the events of the sample."""

    needs_data: ClassVar[bool] = True

    def weights(self, subject: Subject) -> dict[str, NDArray[np.float32]]:
        """Return |w| times the standard deviation of what it multiplies."""
        model, evidence = subject.seen("variance")
        inputs, _ = evidence.inputs(model)
        return {
            name: np.abs(values) * inputs_of(inputs, name, values, criterion="variance").std(axis=0)
            for name, values in subject.values.items()
        }

    def units(self, subject: Subject, groups: Sequence[Group]) -> dict[str, NDArray[np.float32]]:
        """Return the root of the summed variances of all that a unit adds to the stream, or to the scores."""
        model, evidence = subject.seen("variance")
        inputs, _ = evidence.inputs(model)
        scores = {}
        for group in groups:
            place, out = group.silent, subject.values[group.silent.parameter]
            seen = inputs_of(inputs, place.parameter, out, criterion="variance")
            parts = (slice(unit * place.width, (unit + 1) * place.width) for unit in range(group.units))
            spread = [np.trace(out[:, part] @ np.atleast_2d(np.cov(seen[:, part].T)) @ out[:, part].T) for part in parts]
            scores[group.name] = np.sqrt(np.maximum(spread, 0)).astype(np.float32)
        return scores


def inputs_of(
    inputs: Mapping[str, NDArray[np.float32]], name: str, values: NDArray[np.float32], *, criterion: str
) -> NDArray[np.float32]:
    """Return what a matrix multiplies at each event of the sample, [events, width].

    Raises:
        CompressionError: The matrix is not of a dense layer that sees every event.
    """
    found = inputs.get(name)
    if found is None or found.shape[1:] != values.shape[1:]:
        raise CompressionError(
            f"prune: criterion={criterion} looks at what goes into a dense layer, and {name} is of none; "
            "choose others with parameters=, or another criterion"
        )
    return found
