"""Logistic regression: a weight for each word and each number, what every other ranker has to beat."""

from __future__ import annotations

__all__ = ["LogisticRegression"]

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from edge_rec.models.rankers.layers import FeatureVectors
from edge_rec.models.rankers.ranker import RankingModel

if TYPE_CHECKING:
    from edge_rec.data.ranking import RankerInputs


class LogisticRegression(RankingModel):
    """A linear model over words and numbers; of the options it has no use for any."""

    name: ClassVar[str] = "logistic"
    title: ClassVar[str] = "Logistic regression"

    def __init__(self, options: Any, inputs: RankerInputs) -> None:  # noqa: ANN401 - as its base has it
        super().__init__(options, inputs)
        self.weights_of = FeatureVectors(inputs.features, 1)
        self.output = nn.Linear(len(inputs.features), 1)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the log-odds [batch] of a click; see `RankerSource.network` for the inputs."""
        fields, numbers = self.weights_of(*inputs)
        logit: Tensor = self.output(torch.cat(fields if numbers is None else [*fields, numbers], dim=1)).squeeze(1)
        return logit
