"""A SASRec without some of its units: the same computation with fewer numbers."""

from __future__ import annotations

__all__ = ["shrunk"]

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec.compress.prune.groups import groups_of
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec.models import SASRec

_INTO_STREAM = ("positions", "output.weight", "output.bias", "contract.weight", "contract.bias")


def shrunk(model: SASRec, kept: Mapping[str, NDArray[np.bool_]]) -> SASRec:
    """Return the network without the units that are not kept.

    Without heads and neurons whose `silent` weights were 0 it computes the same. Dimensions change what is normalised; all
    else about them is kept: item vectors enter the network times the root of their width, so what joins them there is scaled
    by as much.

    Args:
        model: The network; left as it is.
        kept: For each group, by its name, which units [units] stay.

    Raises:
        CompressionError: A group would have no unit left, or the item codes are finished and would lose dimensions.
    """
    weights = dict(model.weights())
    kinds = ("neurons", "heads", *(["dims"] if "dims" in kept else []))
    by_name = {group.name: group for group in groups_of(model, kinds)}
    for name, stays in kept.items():
        if not stays.any():
            raise CompressionError(f"prune: nothing would be left of {name}; at least one unit must stay, ask for less sparsity")
        for place in by_name[name].places:
            weights[place.parameter] = np.compress(np.repeat(stays, place.width), weights[place.parameter], axis=place.axis)
    options = replace(model.options, **_options(model, kept))
    if "dims" in kept:
        if model.tables:
            raise CompressionError("prune: unit=dims would not fit the finished item codes; encode the items last")
        scale = np.float32(math.sqrt(options.dims / model.options.dims))
        weights = {name: values * scale if name.endswith(_INTO_STREAM) else values for name, values in weights.items()}
    described = asdict(options) | ({"structure": model.structure.describe()} if model.structure else {})
    smaller = type(model).restore(described, weights, model.catalogue)
    return smaller.with_tables(model.tables) if model.tables else smaller


def _options(model: SASRec, kept: Mapping[str, NDArray[np.bool_]]) -> dict[str, Any]:
    options = model.options
    changed: dict[str, Any] = {}
    widths, heads = list(options.widths), list(options.head_numbers)
    for number in range(options.blocks):
        if (stays := kept.get(f"blocks.{number}.neurons")) is not None:
            widths[number] = int(stays.sum())
        if (stays := kept.get(f"blocks.{number}.heads")) is not None:
            heads[number] = tuple(head for head, stay in zip(heads[number], stays, strict=True) if stay)
    if tuple(widths) != options.widths:
        changed["feed_forward"] = tuple(widths)
    if tuple(heads) != options.head_numbers:
        changed |= {"kept_heads": tuple(heads), "head_dims": options.head_width}
    if (stays := kept.get("dims")) is not None:
        changed |= {"dims": int(stays.sum()), "head_dims": options.head_width}
    return changed
