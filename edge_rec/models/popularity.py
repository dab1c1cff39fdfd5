"""The most popular items for everybody: what every other model has to beat."""

from __future__ import annotations

__all__ = ["Popularity"]

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from edge_rec_converters.protocol import Retriever
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec.data import Split
    from edge_rec_runtime import Catalogue


class _Same(nn.Module):
    """Give every history the query 1, so that an item's score is its count."""

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return 1 for each history, [batch, 1], from vectors [batch, length, 1] and mask [batch, length]."""
        return torch.sum(vectors * mask[:, :, None], dim=1) * 0.0 + 1.0


class Popularity:
    """How often each item was met in training.

    Attributes:
        catalogue: The items, with their ``popularity``.
    """

    name: ClassVar[str] = "popularity"

    def __init__(self, catalogue: Catalogue) -> None:
        if catalogue.popularity is None:
            raise ModelError("popularity: the catalogue does not say how often each item was met; train again")
        self.catalogue = catalogue
        self._counts = catalogue.popularity.astype(np.float32)[:, None]

    @classmethod
    def count(cls, split: Split, catalogue: Catalogue) -> Self:
        """Count the items of ``split.train``, whatever the catalogue says of their popularity."""
        counts = np.bincount(split.train.items, minlength=len(catalogue)).astype(np.uint32)
        return cls(replace(catalogue, popularity=counts))

    def source(self) -> Retriever:
        """Return the model as the converters take it: a table of counts, and an encoder that looks at nothing."""
        return Retriever(
            encoder=_Same().eval(),
            item_table=self._counts,
            catalogue=self.catalogue,
            max_length=1,
            name=self.name,
            float_weights=("*",),
        )

    def describe(self) -> dict[str, object]:
        """Return the options, of which there are none."""
        return {}

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Return the counts, [items, 1]."""
        return {"counts": self._counts}

    @classmethod
    def restore(cls, described: Mapping[str, object], weights: Mapping[str, NDArray[np.float32]], catalogue: Catalogue) -> Self:
        """Build a model from what `describe` and `weights` gave.

        Raises:
            ModelError: The counts are not one whole number an item, or there are options.
        """
        if described:
            raise ModelError(f"popularity has no options, found {', '.join(sorted(described))}; train again")
        counts = weights.get("counts")
        if set(weights) != {"counts"} or counts is None or counts.shape != (len(catalogue), 1) or counts.dtype != np.float32:
            shown = {name: f"{value.dtype} {list(value.shape)}" for name, value in weights.items()}
            raise ModelError(f"popularity: found {shown}, expected counts as float32 {[len(catalogue), 1]}; train again")
        if not (np.isfinite(counts) & (counts >= 0) & (counts < 2**24) & (counts == np.floor(counts))).all():
            raise ModelError("popularity: a count is not a whole number from 0 to 2^24; train again")
        return cls(replace(catalogue, popularity=counts[:, 0].astype(np.uint32)))
