"""Sequential models of RecBole, their own layers and weights fed with vectors in the place of ids."""

from __future__ import annotations

__all__ = ["MODELS"]

from typing import TYPE_CHECKING, Any

import torch
from recbole.model.sequential_recommender import GRU4Rec, SASRec
from torch import Tensor, nn

from edge_rec_converters import Retriever
from edge_rec_runtime import Catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

ITEMS, DIMS, LONGEST = 200, 32, 20

# What RecBole's own configuration files say of these models, smaller.
_SETTINGS: dict[str, Any] = {
    "USER_ID_FIELD": "user",
    "ITEM_ID_FIELD": "item",
    "LIST_SUFFIX": "_list",
    "ITEM_LIST_LENGTH_FIELD": "length",
    "NEG_PREFIX": "neg_",
    "MAX_ITEM_LIST_LENGTH": LONGEST,
    "device": "cpu",
    "loss_type": "CE",
    "initializer_range": 0.2,
    "hidden_size": DIMS,
    "embedding_size": DIMS,
    "n_layers": 2,
    "n_heads": 2,
    "inner_size": 64,
    "num_layers": 1,
    "hidden_dropout_prob": 0.2,
    "attn_dropout_prob": 0.2,
    "dropout_prob": 0.2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
}


class _Catalogue:
    """The one thing that these models ask of a data set."""

    def num(self, _: str) -> int:
        """Return the number of items, the padding included."""
        return ITEMS + 1


def _last(states: Tensor, mask: Tensor) -> Tensor:
    at = (mask.sum(1).long() - 1).clamp(min=0)[:, None, None]
    return states.gather(1, at.expand(-1, 1, states.shape[2])).squeeze(1)


class _SasRec(nn.Module):
    """RecBole's SASRec from its item embedding on."""

    def __init__(self, model: SASRec) -> None:
        super().__init__()
        self.model = model

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See `Retriever`."""
        model = self.model
        positions = torch.arange(vectors.shape[1], device=vectors.device)
        states = model.LayerNorm(vectors + model.position_embedding(positions))
        earlier = torch.tril(torch.ones(vectors.shape[1], vectors.shape[1])) > 0
        seen = earlier[None, None] & (mask != 0)[:, None, None]
        hidden = model.trm_encoder(states, torch.where(seen, 0.0, -10000.0), output_all_encoded_layers=False)
        return _last(hidden[-1], mask)


class _Gru4Rec(nn.Module):
    """RecBole's GRU4Rec from its item embedding on."""

    def __init__(self, model: GRU4Rec) -> None:
        super().__init__()
        self.gru, self.dense = model.gru_layers, model.dense

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """See `Retriever`."""
        states, _ = self.gru(vectors)
        return _last(self.dense(states), mask)


def _retriever(name: str, model: nn.Module, encoder: nn.Module) -> Retriever:
    weight: Tensor = model.item_embedding.weight  # type: ignore[assignment, union-attr]  # nn.Module's attributes
    return Retriever(
        name=name,
        encoder=encoder,
        item_table=weight.detach()[1:].numpy(),
        catalogue=Catalogue(tuple(f"i{row}" for row in range(ITEMS))),
        max_length=LONGEST,
    )


def _sasrec() -> Retriever:
    model = SASRec(_SETTINGS, _Catalogue())
    return _retriever("recbole-sasrec", model, _SasRec(model))


def _gru4rec() -> Retriever:
    model = GRU4Rec({**_SETTINGS, "hidden_size": 48}, _Catalogue())
    return _retriever("recbole-gru4rec", model, _Gru4Rec(model))


MODELS: dict[str, Callable[[], Retriever]] = {"SASRec": _sasrec, "GRU4Rec": _gru4rec}
