"""What all rankers are made of: features become vectors, and vectors go through layers."""

from __future__ import annotations

__all__ = ["Activation", "FeatureVectors", "layers"]

import itertools
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_runtime.features import Feature


class FeatureVectors(nn.Module):
    """Each feature as a vector: of a category its row of a table, of categories the mean of theirs, a number standardised.

    Row 0 of every table is what is unknown, and learned like the others. Categories that are all absent are 0.

    Attributes:
        width: Of the vectors of categories.
        tables: One [words + 1, width] a feature with words, by its name.
        centre: [numbers] what is taken off the numbers, their mean in training.
        scale: [numbers] what they are then divided by, their standard deviation there.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, features: Sequence[Feature], width: int) -> None:
        super().__init__()
        self.features = tuple(features)
        self.width = width
        words = {one.name: len(one.vocabulary) + 1 for one in features if one.kind != "number"}
        self.tables = nn.ModuleDict({name: nn.Embedding(count, width) for name, count in words.items()})
        self.numbers = sum(one.kind == "number" for one in features)
        self.register_buffer("centre", torch.zeros(self.numbers))
        self.register_buffer("scale", torch.ones(self.numbers))
        for table in self.tables.values():
            nn.init.normal_(table.weight, std=0.01)  # type: ignore[arg-type]  # a table's weight is a Parameter

    def forward(self, *inputs: Tensor) -> tuple[list[Tensor], Tensor | None]:
        """Return the vectors [batch, width] of the features with words, in their order, and the numbers [batch, numbers]."""
        fields, numbers = [], []
        for feature, values in zip(self.features, inputs, strict=True):
            if feature.kind == "number":
                numbers.append(values[:, None])
            elif feature.kind == "category":
                fields.append(self.tables[feature.name](values))
            else:
                mask = (values > 0).to(torch.float32)[:, :, None]
                total = (self.tables[feature.name](values) * mask).sum(dim=1)
                fields.append(total / mask.sum(dim=1).clamp(min=1.0))
        return fields, (torch.cat(numbers, dim=1) - self.centre) / self.scale if numbers else None


class Activation(nn.Module):
    """PReLU with a slope for each channel of the last axis: max(x, 0) - slope x max(-x, 0), as DIN has it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.full((width,), 0.25))

    def forward(self, values: Tensor) -> Tensor:
        """Return values [.., width] with what is below 0 scaled."""
        return torch.relu(values) - self.slope * torch.relu(-values)


def layers(widths: Sequence[int], *, dropout: float = 0.0, prelu: bool = False, last: bool = False) -> nn.Sequential:
    """Return linear layers with an activation after each.

    Args:
        widths: Of the input and of each layer's output.
        dropout: Share of the activations that training drops.
        prelu: Use a learned slope below 0 rather than 0.
        last: Leave the last layer without an activation.
    """
    modules: list[nn.Module] = []
    for number, (before, after) in enumerate(itertools.pairwise(widths), 1):
        modules.append(nn.Linear(before, after))
        if not (last and number == len(widths) - 1):
            modules.append(Activation(after) if prelu else nn.ReLU())
            if dropout:
                modules.append(nn.Dropout(dropout))
    return nn.Sequential(*modules)
