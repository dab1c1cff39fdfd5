"""DCN-V2: crosses of features, explicit and of bounded degree, beside a network.

Wang, Shivanna, Cheng, Jain, Lin, Hong and Chi, "DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale
Learning to Rank Systems" (WWW 2021), in parallel: each cross layer computes x' = x0 * (W x + b) + x, its W of full rank or the
product of two thin matrices.
"""

from __future__ import annotations

__all__ = ["DCNv2", "DCNv2Options"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from edge_rec.models.network import check_whole
from edge_rec.models.rankers.layers import FeatureVectors, layers
from edge_rec.models.rankers.ranker import RankingModel, RankingOptions

if TYPE_CHECKING:
    from edge_rec.data.ranking import RankerInputs


@dataclass(frozen=True, kw_only=True)
class DCNv2Options(RankingOptions):
    """The shape of the network.

    Attributes:
        crosses: Cross layers; the degree of the crosses is one more.
        rank: Of the cross layers' matrices, or None for full rank.
    """

    crosses: int = 3
    rank: int | None = 32

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        super().__post_init__()
        check_whole("DCN-V2", self, "crosses", *(() if self.rank is None else ("rank",)))


class DCNv2(RankingModel):
    """Cross layers beside a network."""

    name: ClassVar[str] = "dcnv2"
    title: ClassVar[str] = "DCN-V2"
    Options: ClassVar[type[RankingOptions]] = DCNv2Options

    def __init__(self, options: Any, inputs: RankerInputs) -> None:  # noqa: ANN401 - as its base has it
        super().__init__(options, inputs)
        self.vectors = FeatureVectors(inputs.features, options.dims)
        width = len(self.vectors.tables) * options.dims + self.vectors.numbers
        self.crosses = nn.ModuleList([_cross(width, options.rank) for _ in range(options.crosses)])
        self.deep = layers((width, *options.hidden), dropout=options.dropout)
        self.output = nn.Linear(width + options.hidden[-1], 1)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the log-odds [batch] of a click; see `RankerSource.network` for the inputs."""
        fields, numbers = self.vectors(*inputs)
        start = torch.cat(fields if numbers is None else [*fields, numbers], dim=1)
        crossed = start
        for cross in self.crosses:
            crossed = start * cross(crossed) + crossed
        logit: Tensor = self.output(torch.cat([crossed, self.deep(start)], dim=1)).squeeze(1)
        return logit


def _cross(width: int, rank: int | None) -> nn.Module:
    if rank is None or rank >= width // 2:  # two thin matrices would be no smaller than the whole
        return nn.Linear(width, width)
    return nn.Sequential(nn.Linear(width, rank, bias=False), nn.Linear(rank, width))
