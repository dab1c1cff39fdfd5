"""DIN: what the user clicked counts as far as it has to do with the candidate.

Zhou et al., "Deep Interest Network for Click-Through Rate Prediction" (KDD 2018): a small network looks at each earlier click
beside the candidate, their difference and their product, and gives it a weight; the weighted clicks are summed, not averaged, so
that a strong interest stays strong. Here the weights are sigmoids, which keeps the sum bounded, and 0 after the end of the
history. Clicks and candidates share a table; activations are PReLU.
"""

from __future__ import annotations

__all__ = ["DIN", "DINOptions"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from edge_rec.models.rankers.layers import FeatureVectors, layers
from edge_rec.models.rankers.ranker import RankingModel, RankingOptions, check_widths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec.data.ranking import RankerInputs
    from edge_rec_runtime.features import Feature


@dataclass(frozen=True, kw_only=True)
class DINOptions(RankingOptions):
    """The shape of the network.

    Attributes:
        attention: Widths of the hidden layers that weigh a click.
    """

    attention: tuple[int, ...] = (32, 16)

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        super().__post_init__()
        check_widths("DIN", self, "attention")


class DIN(RankingModel):
    """Attention of the candidate to the history."""

    name: ClassVar[str] = "din"
    title: ClassVar[str] = "DIN"
    Options: ClassVar[type[RankingOptions]] = DINOptions

    def __init__(self, options: Any, inputs: RankerInputs) -> None:  # noqa: ANN401 - as its base has it
        super().__init__(options, inputs)
        names = [one.name for one in inputs.features]
        self._history, self._item = names.index("history"), names.index("item")
        rest = [one for one in inputs.features if one.name != "history"]
        self._item_field = [one.name for one in rest if one.kind != "number"].index("item")
        self.vectors = FeatureVectors(rest, options.dims)
        self.attention = layers((4 * options.dims, *options.attention, 1), prelu=True, last=True)
        width = (len(self.vectors.tables) + 1) * options.dims + self.vectors.numbers
        self.deep = layers((width, *options.hidden, 1), dropout=options.dropout, prelu=True, last=True)

    @classmethod
    def wanted(cls, features: Sequence[Feature]) -> tuple[str, ...]:
        """Return all features, the history among them."""
        return tuple(dict.fromkeys([one.name for one in features] + ["history", "item"]))

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the log-odds [batch] of a click; see `RankerSource.network` for the inputs."""
        fields, numbers = self.vectors(*(values for at, values in enumerate(inputs) if at != self._history))
        rows = inputs[self._history]
        clicks = self.vectors.tables["item"](rows)  # [batch, length, dims]
        candidate = fields[self._item_field][:, None, :]
        beside = torch.cat([clicks, candidate.expand_as(clicks), clicks - candidate, clicks * candidate], dim=2)
        weights = torch.sigmoid(self.attention(beside)) * (rows > 0).to(torch.float32)[:, :, None]
        interest = (clicks * weights).sum(dim=1)
        known = [] if numbers is None else [numbers]
        logit: Tensor = self.deep(torch.cat([*fields, interest, *known], dim=1)).squeeze(1)
        return logit
