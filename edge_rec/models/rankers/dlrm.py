"""DLRM: numbers become one more vector, every two vectors meet as an inner product, and a network judges the products.

Naumov et al., "Deep Learning Recommendation Model for Personalization and Recommendation Systems" (2019).
"""

from __future__ import annotations

__all__ = ["DLRM", "DLRMOptions"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from edge_rec.models.rankers.layers import FeatureVectors, layers
from edge_rec.models.rankers.ranker import RankingModel, RankingOptions, check_widths

if TYPE_CHECKING:
    from edge_rec.data.ranking import RankerInputs


@dataclass(frozen=True, kw_only=True)
class DLRMOptions(RankingOptions):
    """The shape of the network.

    Attributes:
        bottom: Widths of the layers from the numbers to their vector.
    """

    bottom: tuple[int, ...] = (32,)

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        super().__post_init__()
        check_widths("DLRM", self, "bottom")


class DLRM(RankingModel):
    """Inner products of every two vectors."""

    name: ClassVar[str] = "dlrm"
    title: ClassVar[str] = "DLRM"
    Options: ClassVar[type[RankingOptions]] = DLRMOptions
    below: Tensor

    def __init__(self, options: Any, inputs: RankerInputs) -> None:  # noqa: ANN401 - as its base has it
        super().__init__(options, inputs)
        self.vectors = FeatureVectors(inputs.features, options.dims)
        numbers = self.vectors.numbers
        self.bottom = layers((numbers, *options.bottom, options.dims)) if numbers else None
        count = len(self.vectors.tables) + bool(numbers)
        rows, columns = torch.tril_indices(count, count, offset=-1, device="cpu").tolist()
        below = [row * count + column for row, column in zip(rows, columns, strict=True)]
        self.register_buffer("below", torch.tensor(below, dtype=torch.int64), persistent=False)
        width = len(below) + (options.dims if numbers else 0)
        self.top = layers((width, *options.hidden, 1), dropout=options.dropout, last=True)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the log-odds [batch] of a click; see `RankerSource.network` for the inputs."""
        fields, numbers = self.vectors(*inputs)
        dense = [] if self.bottom is None else [self.bottom(numbers)]
        stacked = torch.stack([*dense, *fields], dim=1)  # [batch, vectors, dims]
        products = (stacked @ stacked.transpose(1, 2)).flatten(1)
        logit: Tensor = self.top(torch.cat([*dense, products.index_select(1, self.below)], dim=1)).squeeze(1)
        return logit
