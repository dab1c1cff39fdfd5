"""Two towers: a user is a history and what is known of the user, an item its id and what is known of the item.

As in Yi et al., "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations" (RecSys 2019), trained against
the other targets of a step. The item tower runs on the host, once, and gives the item table; the vectors of the history are
rows of that table. The user tower runs on the device and takes the user's attributes as context features.
"""

from __future__ import annotations

__all__ = ["TwoTower", "TwoTowerOptions", "UserTower", "context_features"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_rec.models.network import Network, check_share, check_whole, keep_all, last_event, options_of
from edge_rec_runtime.errors import ModelError
from edge_rec_runtime.features import Feature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from edge_rec_runtime import Catalogue

_TINY = 1e-6  # added to a count of events, so that none gives 0 and not 0 / 0


@dataclass(frozen=True, kw_only=True)
class TwoTowerOptions:
    """The shape of the network.

    Attributes:
        dims: Width of item vectors and queries.
        hidden: Width of the hidden layer of either tower.
        feature_dims: Width of the vector of an attribute's value.
        max_length: Events that the user tower looks back.
        dropout: Share of activations dropped in training, and of attributes hidden, so that an unknown one has a meaning.
    """

    dims: int = 64
    hidden: int = 256
    feature_dims: int = 16
    max_length: int = 20
    dropout: float = 0.2

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        check_whole("two-tower", self, "dims", "hidden", "feature_dims", "max_length")
        check_share("two-tower", self, "dropout")


def context_features(attributes: Mapping[str, Sequence[str]]) -> tuple[Feature, ...]:
    """Return a context feature for each attribute of the users that has a value, its words sorted."""
    words = {name: tuple(sorted({value for value in values if value})) for name, values in attributes.items()}
    return tuple(Feature(name, "category", "context", found) for name, found in words.items() if found)


class UserTower(nn.Module):
    """Item vectors of a history, and one index a context feature -> the vector that the next item's should resemble.

    The history is pooled to its mean and its last event; both and the features go through one hidden layer.
    """

    order: Tensor

    def __init__(self, options: TwoTowerOptions, context: Sequence[Feature]) -> None:
        super().__init__()
        self.options = options
        self.features = nn.ModuleList(nn.Embedding(len(one.vocabulary) + 1, options.feature_dims) for one in context)
        self.expand = nn.Linear(2 * options.dims + len(context) * options.feature_dims, options.hidden)
        self.contract = nn.Linear(options.hidden, options.dims)
        self.norm = nn.LayerNorm(options.dims)
        self.register_buffer("order", torch.arange(options.max_length, dtype=torch.float32), persistent=False)

    def forward(self, vectors: Tensor, mask: Tensor, *context: Tensor) -> Tensor:
        """Return the query [batch, dims] of each history; one without events is asked by its context alone.

        Args:
            vectors: [batch, length, dims] rows of the item table, oldest event first, anything finite after the last event.
            mask: [batch, length] 1 on events, then 0.
            context: For each feature an int32 tensor [batch] of indices, 0 where nothing is known.
        """
        mean = (vectors * mask[:, :, None]).sum(dim=1) / (mask.sum(dim=1, keepdim=True) + _TINY)
        last = (vectors * last_event(mask, self.order[: vectors.shape[1]])[:, :, None]).sum(dim=1)
        return self._query([mean, last, *self._known(context)], keep_all)

    def states(self, vectors: Tensor, *context: Tensor, drop: Callable[[Tensor], Tensor] = keep_all) -> Tensor:
        """Return the query [batch, length, dims] after every event; see `Network.states`."""
        count = (self.order[: vectors.shape[1]] + (1.0 + _TINY))[:, None]
        shown = [drop(values[:, None].float() * 0.0 + 1.0).squeeze(1) != 0 for values in context]
        known = self._known([values * kept for values, kept in zip(context, shown, strict=True)])
        spread = [one[:, None, :].expand(-1, vectors.shape[1], -1) for one in known]
        return self._query([torch.cumsum(vectors, dim=1) / count, vectors, *spread], drop)

    def _known(self, context: Sequence[Tensor]) -> list[Tensor]:
        return [table(values) for table, values in zip(self.features, context, strict=True)]

    def _query(self, parts: list[Tensor], drop: Callable[[Tensor], Tensor]) -> Tensor:
        hidden = functional.gelu(self.expand(drop(torch.cat(parts, dim=-1))))
        query: Tensor = self.norm(self.contract(drop(hidden)))
        return query


class _ItemTower(nn.Module):
    """Ids and attributes of items -> their vectors: what an id has learnt, moved by what the attributes say."""

    def __init__(self, options: TwoTowerOptions, items: int, attributes: Sequence[Feature]) -> None:
        super().__init__()
        self.ids = nn.Parameter(torch.empty(items, options.dims))
        self.features = nn.ModuleList(nn.Embedding(len(one.vocabulary) + 1, options.feature_dims) for one in attributes)
        self.expand = nn.Linear(options.dims + len(attributes) * options.feature_dims, options.hidden)
        self.contract = nn.Linear(options.hidden, options.dims)

    def forward(self, known: Sequence[Tensor]) -> Tensor:
        """Return [items, dims]; ``known`` has for each attribute indices [items, values], 0 after the end."""
        parts: list[Tensor] = [self.ids]
        for table, values in zip(self.features, known, strict=True):
            mask = (values != 0).float()[:, :, None]
            parts.append((table(values) * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1))
        moved: Tensor = self.contract(functional.gelu(self.expand(torch.cat(parts, dim=-1))))
        return self.ids + moved


class TwoTower(Network):
    """A user tower for the device, and an item tower that makes its table.

    Attributes:
        options: The shape of the network.
        catalogue: The items and their attributes.
        context: What the user tower is told besides the history.
        encoder: The user tower.
        items: The item tower.
    """

    name: ClassVar[str] = "two-tower"
    title: ClassVar[str] = "two-tower"
    Options: ClassVar[type] = TwoTowerOptions

    def __init__(
        self, options: TwoTowerOptions, catalogue: Catalogue, *, context: tuple[Feature, ...] = (), seed: int = 0
    ) -> None:
        super().__init__(options, catalogue)
        self.context = context
        attributes = _item_features(catalogue)
        self._known = tuple(torch.from_numpy(one.encode((catalogue.attributes or {})[one.name])) for one in attributes)
        self.items = _ItemTower(options, len(catalogue), attributes)
        self.encoder = UserTower(options, context)
        self.draw(seed)

    def spread(self, name: str, values: Tensor) -> float:
        """Return the standard deviation that a matrix starts with: layers keep the size of what passes through them."""
        return 0.02 if name == "items.ids" else 0.1 if ".features." in name else values.shape[1] ** -0.5

    def item_vectors(self) -> Tensor:
        """Return the item table [items, dims], with a gradient."""
        vectors: Tensor = self.items(self._known)
        return vectors

    def describe(self) -> dict[str, object]:
        """Return the options and, under ``context``, the words of each feature; fit for JSON."""
        return {**super().describe(), "context": {one.name: list(one.vocabulary) for one in self.context}}

    @classmethod
    def designed(cls, described: Mapping[str, object], catalogue: Catalogue, *, seed: int = 0) -> Self:
        """Build a model of its options and the words of its context.

        Raises:
            ModelError: An unknown option, or one that nothing can be built from.
        """
        shape = {name: value for name, value in described.items() if name != "context"}
        words = described.get("context", {})
        if not isinstance(words, dict) or not all(_is_words(one) for one in words.values()):
            raise ModelError(f"two-tower: context={words!r:.60} is not a list of words for each feature; train the model again")
        context = tuple(Feature(name, "category", "context", tuple(found)) for name, found in words.items())
        options = options_of(cls.title, TwoTowerOptions, shape)
        return cls(options, catalogue, context=context, seed=seed)


def _is_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in cast("list[object]", value))


def _item_features(catalogue: Catalogue) -> tuple[Feature, ...]:
    """Return a feature for each attribute of the items that has a value."""
    features = []
    for name, values in sorted((catalogue.attributes or {}).items()):
        words = tuple(sorted({word for one in values for word in one}))
        if words:
            features.append(Feature(name, "categories", "item", words, longest=max(map(len, values))))
    return tuple(features)
