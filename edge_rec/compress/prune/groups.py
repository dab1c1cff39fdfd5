"""Units that can be taken out whole: hidden neurons, attention heads, dimensions of the item vectors.

A unit is a slice of several weights. Zeroing one of the slices is enough to make it say nothing, which is how it is pruned
little by little; `shrunk` then takes all of them out, and the network computes the same with fewer numbers. Dimensions are the
exception: normalisation takes the mean over those that are left, so that they are taken out at once and trained on after.
"""

from __future__ import annotations

__all__ = ["STRUCTURAL", "Group", "Place", "groups_of"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_rec.models import SASRec
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec.models import Model

STRUCTURAL = ("neurons", "heads", "dims")


@dataclass(frozen=True)
class Place:
    """Where the units of a group are in a parameter: unit u has ``width`` indices from u x width on, along ``axis``."""

    parameter: str
    axis: int
    width: int = 1

    def spread(self, values: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """Return one value a unit [units] as one a weight, of the parameter's shape."""
        line = np.repeat(values, self.width).reshape([-1 if axis == self.axis else 1 for axis in range(len(shape))])
        return np.broadcast_to(line, shape)

    def sums(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the sum of the parameter-shaped ``values`` over each unit, [units]."""
        others = tuple(axis for axis in range(values.ndim) if axis != self.axis)
        line: NDArray[np.float64] = values.sum(axis=others, dtype=np.float64).reshape(-1, self.width).sum(axis=1)
        return line


@dataclass(frozen=True, kw_only=True)
class Group:
    """Units of one kind in one layer.

    Attributes:
        name: Such as ``blocks.0.heads``.
        kind: One of `STRUCTURAL`.
        block: The block that they belong to, or None for the dimensions, which all blocks share.
        units: How many there are.
        places: Every weight of a unit.
        silent: The place that, when it is 0, makes a unit say nothing.
    """

    name: str
    kind: str
    block: int | None
    units: int
    places: tuple[Place, ...]
    silent: Place


def groups_of(model: Model, kinds: tuple[str, ...]) -> list[Group]:
    """Return the groups of a network's units.

    Args:
        model: The network.
        kinds: Of `STRUCTURAL`.

    Raises:
        CompressionError: The model has no such units.
    """
    if not isinstance(model, SASRec):
        raise CompressionError(f"prune: units of {model.name} cannot be taken out whole; unit={'+'.join(kinds)} is for SASRec")
    if model.structure.ranks or ("dims" in kinds and model.structure.item_rank is not None):
        raise CompressionError(f"prune: unit={'+'.join(kinds)} comes before factorise; take units out of the whole layers")
    found = []
    for number, (heads, hidden) in enumerate(zip(model.options.head_numbers, model.options.widths, strict=True)):
        block = f"encoder.blocks.{number}"
        if "heads" in kinds:
            found.append(_heads(block, number, len(heads), model.options.head_width))
        if "neurons" in kinds:
            found.append(_neurons(block, number, hidden))
    if "dims" in kinds:
        found.append(_dims(model))
    return found


def _heads(block: str, number: int, units: int, width: int) -> Group:
    inside = [Place(f"{block}.{name}.{part}", 0, width) for name in ("query", "key", "value") for part in ("weight", "bias")]
    outside = Place(f"{block}.output.weight", 1, width)
    return Group(
        name=f"blocks.{number}.heads", kind="heads", block=number, units=units, places=(*inside, outside), silent=outside
    )


def _neurons(block: str, number: int, units: int) -> Group:
    inside = (Place(f"{block}.expand.weight", 0), Place(f"{block}.expand.bias", 0))
    outside = Place(f"{block}.contract.weight", 1)
    return Group(
        name=f"blocks.{number}.neurons", kind="neurons", block=number, units=units, places=(*inside, outside), silent=outside
    )


def _dims(model: SASRec) -> Group:
    places = [Place("table", 1), Place("encoder.positions", 1)]
    for name, values in model.weights().items():
        layer = name.split(".")[-2:][0]
        if name.endswith(("norm.weight", "norm.bias")):
            places.append(Place(name, 0))
        elif layer in {"query", "key", "value", "expand"} and values.ndim == 2:
            places.append(Place(name, 1))
        elif layer in {"output", "contract"}:
            places.append(Place(name, 0))
    return Group(name="dims", kind="dims", block=None, units=model.options.dims, places=tuple(places), silent=Place("table", 1))
