"""The zoo: what every trained model can do, and which there are."""

from __future__ import annotations

__all__ = ["MODELS", "Model"]

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from edge_rec.models.deep_mlp import DeepMLP
from edge_rec.models.gru4rec import GRU4Rec
from edge_rec.models.lightgcn import LightGCN
from edge_rec.models.mf import MatrixFactorisation
from edge_rec.models.neighbours import EASE, ItemItem
from edge_rec.models.nrms import NRMS
from edge_rec.models.popularity import Popularity
from edge_rec.models.rankers import DIN, DLRM, DCNv2, DeepFM, LogisticRegression, NeuMF, WideDeep
from edge_rec.models.sasrec import SASRec
from edge_rec.models.two_tower import TwoTower

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec_converters.protocol import Neighbours, Ranker, Retriever
    from edge_rec_runtime import Catalogue


class Model(Protocol):
    """A trained model: it goes through the converters' door, and into a folder and out again.

    Attributes:
        name: Its key in `MODELS`.
        catalogue: The ids of the item rows.
    """

    name: ClassVar[str]
    catalogue: Catalogue

    def source(self) -> Retriever | Neighbours | Ranker:
        """Return the model as the converters take it."""

    def describe(self) -> dict[str, object]:
        """Return its options, fit for JSON."""

    def weights(self) -> dict[str, NDArray[Any]]:
        """Return its weights by name."""

    @classmethod
    def restore(cls, described: Mapping[str, object], weights: Mapping[str, NDArray[Any]], catalogue: Catalogue) -> Self:
        """Build a model from what `describe` and `weights` gave, or raise ModelError."""


MODELS: dict[str, type[Model]] = {
    "popularity": Popularity,
    "mf": MatrixFactorisation,
    "sasrec": SASRec,
    "gru4rec": GRU4Rec,
    "nrms": NRMS,
    "two-tower": TwoTower,
    "deep-mlp": DeepMLP,
    "lightgcn": LightGCN,
    "ease": EASE,
    "item-item": ItemItem,
    "logistic": LogisticRegression,
    "neumf": NeuMF,
    "wide-deep": WideDeep,
    "deepfm": DeepFM,
    "dlrm": DLRM,
    "dcnv2": DCNv2,
    "din": DIN,
}
