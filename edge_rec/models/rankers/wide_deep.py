"""Wide & Deep: a linear model that remembers words and pairs of words, and a network that generalises.

Cheng et al., "Wide & Deep Learning for Recommender Systems" (DLRS 2016). The wide part has a weight for each word of each feature
and for each pair of a word of the request and a word of the item's list (a woman and a musical), where both have few words;
the deep part is a network over vectors. They are trained together, here both by Adam.
"""

from __future__ import annotations

__all__ = ["WideDeep"]

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from edge_rec.models.rankers.layers import FeatureVectors, layers
from edge_rec.models.rankers.ranker import RankingModel

if TYPE_CHECKING:
    from edge_rec.data.ranking import RankerInputs

_MOST_PAIRS = 1024  # of two features; more are rarely met twice


class WideDeep(RankingModel):
    """A linear model over words and pairs of words beside a network.

    Attributes:
        wide: A weight for each word.
        pairs: For each pair of crossed features, ``request`` and ``item`` joined by ``_``, a weight for each pair of words.
    """

    name: ClassVar[str] = "wide-deep"
    title: ClassVar[str] = "Wide & Deep"

    def __init__(self, options: Any, inputs: RankerInputs) -> None:  # noqa: ANN401 - as its base has it
        super().__init__(options, inputs)
        features = inputs.features
        self.wide = FeatureVectors(features, 1)
        self.vectors = FeatureVectors(features, options.dims)
        words = [len(one.vocabulary) + 1 for one in features]
        self.crossed = [
            (left, right)
            for left, one in enumerate(features)
            for right, other in enumerate(features)
            if (one.kind, one.of) == ("category", "context")
            and (other.kind, other.of) == ("categories", "item")
            and words[left] * words[right] <= _MOST_PAIRS
        ]
        self.pairs = nn.ModuleList([nn.Embedding(words[left] * words[right], 1) for left, right in self.crossed])
        self.stride = [words[right] for _, right in self.crossed]
        for table in self.pairs:
            nn.init.zeros_(table.weight)  # type: ignore[arg-type]  # a table's weight is a Parameter
        tables = sum(one.kind != "number" for one in features)
        self.deep = layers((tables * options.dims + self.vectors.numbers, *options.hidden), dropout=options.dropout)
        self.output = nn.Linear(options.hidden[-1] + self.vectors.numbers, 1)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the log-odds [batch] of a click; see `RankerSource.network` for the inputs."""
        fields, numbers = self.vectors(*inputs)
        known = [] if numbers is None else [numbers]
        deep = self.output(torch.cat([self.deep(torch.cat([*fields, *known], dim=1)), *known], dim=1))
        wide = torch.cat(self.wide(*inputs)[0], dim=1).sum(dim=1, keepdim=True)
        for (left, right), stride, table in zip(self.crossed, self.stride, self.pairs, strict=True):
            mask = (inputs[right] > 0).to(torch.float32)
            weights = table(inputs[left][:, None] * stride + inputs[right]).squeeze(2) * mask
            wide = wide + weights.sum(dim=1, keepdim=True)
        logit: Tensor = (deep + wide).squeeze(1)
        return logit
