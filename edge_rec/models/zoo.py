"""The zoo: what every trained model can do, and which there are."""

from __future__ import annotations

__all__ = ["MODELS", "Model"]

from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from edge_rec.models.gru4rec import GRU4Rec
from edge_rec.models.mf import MatrixFactorisation
from edge_rec.models.popularity import Popularity
from edge_rec.models.sasrec import SASRec

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from edge_rec_converters.protocol import Retriever
    from edge_rec_runtime import Catalogue


class Model(Protocol):
    """A trained model: it goes through the converters' door, and into a folder and out again.

    Attributes:
        name: Its key in `MODELS`.
        catalogue: The ids of the item rows.
    """

    name: ClassVar[str]
    catalogue: Catalogue

    def source(self) -> Retriever:
        """Return the model as the converters take it."""

    def describe(self) -> dict[str, object]:
        """Return its options, fit for JSON."""

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Return its weights by name."""

    @classmethod
    def restore(cls, described: Mapping[str, object], weights: Mapping[str, NDArray[np.float32]], catalogue: Catalogue) -> Self:
        """Build a model from what `describe` and `weights` gave, or raise ModelError."""


MODELS: dict[str, type[Model]] = {
    "popularity": Popularity,
    "mf": MatrixFactorisation,
    "sasrec": SASRec,
    "gru4rec": GRU4Rec,
}
