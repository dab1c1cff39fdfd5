"""Models of torch-rechub: rankers as they come, and the user tower of YoutubeDNN as an encoder."""

from __future__ import annotations

__all__ = ["MODELS"]

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch_rechub.basic.features import DenseFeature, SequenceFeature, SparseFeature
from torch_rechub.basic.initializers import RandomNormal
from torch_rechub.models.matching import YoutubeDNN
from torch_rechub.models.ranking import DCN, DIN, AutoInt, DCNv2, DeepFM, WideDeep

from edge_rec_converters import Ranker, Retriever
from edge_rec_runtime import Catalogue
from edge_rec_runtime.features import Feature

if TYPE_CHECKING:
    from collections.abc import Callable

ITEMS, DIMS, LONGEST = 200, 16, 20
_NORMAL = RandomNormal(0, 0.3)  # its own default, 0.0001, makes every answer the same
_MLP = {"dims": [64, 32], "dropout": 0.1, "activation": "relu"}
_WORDS = {"item": tuple(f"i{row}" for row in range(ITEMS)), "genre": ("a", "b", "c"), "age": ("18", "25", "35", "50")}
_FEATURES = (
    Feature("item", "category", "item", _WORDS["item"]),
    Feature("genre", "category", "item", _WORDS["genre"]),
    Feature("age", "category", "context", _WORDS["age"]),
    Feature("hour", "number", "context"),
)
_SEEN = Feature("seen", "categories", "context", _WORDS["item"], longest=LONGEST)


class _Logit(nn.Module):
    """A model of the package, fed by position, its probability turned back into the logit that it came from."""

    def __init__(self, model: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *features: Tensor) -> Tensor:
        """See `Ranker`."""
        return torch.logit(self.model(dict(zip(self.names, features, strict=True))), eps=1e-7)


def _sparse(*names: str) -> list[Any]:
    return [SparseFeature(name, len(_WORDS[name]) + 1, DIMS, initializer=_NORMAL) for name in names]


def _ranker(name: str, model: nn.Module, features: tuple[Feature, ...] = _FEATURES) -> Ranker:
    rng = np.random.default_rng(0)
    return Ranker(
        name=name,
        network=_Logit(model, tuple(feature.name for feature in features)),
        features=features,
        item_values={
            "item": np.arange(1, ITEMS + 1, dtype=np.int32),
            "genre": rng.integers(0, 4, ITEMS).astype(np.int32),
        },
        catalogue=Catalogue(_WORDS["item"]),
    )


def _deepfm() -> Ranker:
    sparse = _sparse("item", "genre", "age")
    return _ranker("deepfm", DeepFM([DenseFeature("hour"), *sparse], sparse, _MLP))


def _widedeep() -> Ranker:
    sparse = _sparse("item", "genre", "age")
    return _ranker("widedeep", WideDeep(sparse, [DenseFeature("hour"), *sparse], _MLP))


def _dcn() -> Ranker:
    return _ranker("dcn", DCN([DenseFeature("hour"), *_sparse("item", "genre", "age")], 3, _MLP))


def _dcnv2() -> Ranker:
    return _ranker("dcnv2", DCNv2([DenseFeature("hour"), *_sparse("item", "genre", "age")], 2, _MLP))


def _autoint() -> Ranker:
    return _ranker("autoint", AutoInt(_sparse("item", "genre", "age"), [DenseFeature("hour")], mlp_params=_MLP))


def _din() -> Ranker:
    history = SequenceFeature("seen", ITEMS + 1, DIMS, pooling="concat", shared_with="item", padding_idx=0)
    target = SparseFeature("item", ITEMS + 1, DIMS, initializer=_NORMAL, padding_idx=0)
    context = [DenseFeature("hour"), *_sparse("genre", "age")][1:]
    mlp = {"dims": [64, 32], "dropout": 0.1}
    model = DIN(context, [history], [target], mlp_params=mlp, attention_mlp_params={"dims": [32, 16]})
    return _ranker("din", model, (*_FEATURES[:3], _SEEN))


class _UserTower(nn.Module):
    """The user tower of YoutubeDNN, given the vectors of the history in the place of its ids."""

    def __init__(self, model: YoutubeDNN) -> None:
        super().__init__()
        self.age, self.mlp = model.embedding.embed_dict["age"], model.user_mlp

    def forward(self, vectors: Tensor, mask: Tensor, age: Tensor) -> Tensor:
        """See `Retriever`."""
        pooled = (vectors * mask[..., None]).sum(1) / (mask.sum(1, keepdim=True) + 1e-16)
        return nn.functional.normalize(self.mlp(torch.cat([pooled, self.age(age.long())], 1)), dim=1)


def _youtube() -> Retriever:
    item = SparseFeature("item", ITEMS + 1, DIMS, initializer=_NORMAL)
    history = SequenceFeature("seen", ITEMS + 1, DIMS, pooling="mean", shared_with="item", padding_idx=0)
    negative = SequenceFeature("negative", ITEMS + 1, DIMS, pooling="concat", shared_with="item")
    model = YoutubeDNN([history, *_sparse("age")], [item], [negative], {"dims": [64, DIMS], "activation": "relu"})
    rows = nn.functional.normalize(model.embedding.embed_dict["item"].weight.detach(), dim=1)
    return Retriever(
        name="youtube-dnn",
        encoder=_UserTower(model),
        item_table=rows[1:].numpy(),
        catalogue=Catalogue(_WORDS["item"]),
        max_length=LONGEST,
        context=(_FEATURES[2],),
    )


MODELS: dict[str, Callable[[], Ranker | Retriever]] = {
    "DeepFM": _deepfm,
    "WideDeep": _widedeep,
    "DCN": _dcn,
    "DCNv2": _dcnv2,
    "AutoInt": _autoint,
    "DIN": _din,
    "YoutubeDNN": _youtube,
}
