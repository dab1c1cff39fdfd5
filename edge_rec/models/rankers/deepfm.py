"""DeepFM: a factorisation machine and a network that share their vectors.

Guo, Tang, Ye, Li and He, "DeepFM: A Factorization-Machine based Neural Network for CTR Prediction" (IJCAI 2017). All pairs of
features meet as inner products, at the cost of one sum: sum over i < j of v_i.v_j = ((sum v)^2 - sum v^2) / 2. A number's
vector is learned and scaled by the number. The first column of each table is the weight of the word alone, the rest its vector.
"""

from __future__ import annotations

__all__ = ["DeepFM"]

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from edge_rec.models.rankers.layers import FeatureVectors, layers
from edge_rec.models.rankers.ranker import RankingModel

if TYPE_CHECKING:
    from edge_rec.data.ranking import RankerInputs


class DeepFM(RankingModel):
    """A factorisation machine beside a network."""

    name: ClassVar[str] = "deepfm"
    title: ClassVar[str] = "DeepFM"

    def __init__(self, options: Any, inputs: RankerInputs) -> None:  # noqa: ANN401 - as its base has it
        super().__init__(options, inputs)
        self.vectors = FeatureVectors(inputs.features, 1 + options.dims)
        self.number_vectors = nn.Parameter(torch.randn(self.vectors.numbers, 1 + options.dims) * 0.01)
        self.deep = layers((len(inputs.features) * options.dims, *options.hidden, 1), dropout=options.dropout, last=True)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the log-odds [batch] of a click; see `RankerSource.network` for the inputs."""
        fields, numbers = self.vectors(*inputs)
        stacked = torch.stack(fields, dim=1)  # [batch, fields, 1 + dims]
        if numbers is not None:
            stacked = torch.cat([stacked, numbers[:, :, None] * self.number_vectors], dim=1)
        first, vectors = stacked[:, :, 0].sum(dim=1), stacked[:, :, 1:]
        total = vectors.sum(dim=1)
        second = 0.5 * (total * total - (vectors * vectors).sum(dim=1)).sum(dim=1)
        logit: Tensor = first + second + self.deep(vectors.flatten(1)).squeeze(1)
        return logit
