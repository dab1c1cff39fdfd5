"""NeuMF: a product of a user's and an item's vectors, and a network over two others, added up.

He, Liao, Zhang, Nie, Hu and Chua, "Neural Collaborative Filtering" (WWW 2017): generalised matrix factorisation and a multilayer
perceptron with tables of their own, joined in the last layer. It knows nothing but who and what.
"""

from __future__ import annotations

__all__ = ["NeuMF"]

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from edge_rec.models.rankers.layers import FeatureVectors, layers
from edge_rec.models.rankers.ranker import RankingModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec.data.ranking import RankerInputs
    from edge_rec_runtime.features import Feature


class NeuMF(RankingModel):
    """Neural matrix factorisation."""

    name: ClassVar[str] = "neumf"
    title: ClassVar[str] = "NeuMF"

    def __init__(self, options: Any, inputs: RankerInputs) -> None:  # noqa: ANN401 - as its base has it
        super().__init__(options, inputs)
        self.product = FeatureVectors(inputs.features, options.dims)
        self.vectors = FeatureVectors(inputs.features, options.dims)
        self.deep = layers((2 * options.dims, *options.hidden), dropout=options.dropout)
        self.output = nn.Linear(options.dims + options.hidden[-1], 1)

    @classmethod
    def wanted(cls, features: Sequence[Feature]) -> tuple[str, ...]:  # noqa: ARG003 - these whatever there is
        """Return the user and the item."""
        return ("user", "item")

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the log-odds [batch] of a click, from user and item, each int [batch]."""
        (user, item), _ = self.product(*inputs)
        deep = self.deep(torch.cat(self.vectors(*inputs)[0], dim=1))
        logit: Tensor = self.output(torch.cat([user * item, deep], dim=1)).squeeze(1)
        return logit
