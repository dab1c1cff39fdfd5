"""A ranker: features of a candidate and of the request become one score."""

from __future__ import annotations

__all__ = ["Ranker", "RankerSource"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from edge_rec_runtime import Catalogue
    from edge_rec_runtime.features import Feature


@runtime_checkable
class RankerSource(Protocol):
    """A model that scores given candidates, such as DeepFM or DIN."""

    @property
    def kind(self) -> Literal["ranker"]:
        """What sort of recommender it is: ``"ranker"``."""

    @property
    def name(self) -> str:
        """Short name, for file names and reports."""

    @property
    def network(self) -> torch.nn.Module | Path:
        """A module, or the path of an ``.onnx`` file with an input for each feature, named as it, and the output ``logit``.

        ``forward(*features) -> logit [batch] float32``, one argument a feature in the order of `features`: a category int32
        [batch], categories int32 [batch, length] with 0 after their end, a number float32 [batch]. Index 0 stands for what is
        unknown or absent. Batch and length are dynamic. A module is run in eval mode.
        """

    @property
    def features(self) -> tuple[Feature, ...]:
        """What the network is fed, in order; of the candidate item or of the request."""

    @property
    def item_values(self) -> Mapping[str, NDArray[np.generic]]:
        """For each feature of the item its values for the whole catalogue, encoded as the network is fed.

        int32 [items], int32 [items, width] or float32 [items], rows in the order of the catalogue.
        """

    @property
    def catalogue(self) -> Catalogue:
        """The ids of the candidates, and what is known of them."""

    @property
    def float_weights(self) -> tuple[str, ...]:
        """Patterns (fnmatch) of weight names that stay fp32 in every precision."""


@dataclass(frozen=True, kw_only=True)
class Ranker:
    """The protocol as a record, for whoever has the parts at hand; see `RankerSource` for what they mean."""

    network: torch.nn.Module | Path
    features: tuple[Feature, ...]
    item_values: Mapping[str, NDArray[np.generic]]
    catalogue: Catalogue
    name: str = "model"
    float_weights: tuple[str, ...] = ()
    kind: Literal["ranker"] = "ranker"
