"""A small ranker, a small table of neighbours and an encoder that takes context, with data to judge them by."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from edge_rec_converters import Examples, Neighbours, Ranker, Retriever
from edge_rec_runtime import Catalogue, History
from edge_rec_runtime.features import Feature

ITEMS = 300
_IDS = tuple(f"i{row}" for row in range(ITEMS))
_GENRES = ("drama", "comedy", "war", "noir", "western")


class SmallRanker(nn.Module):
    """Embeddings of the item, of its genres and of the history, and a number, through two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.items = nn.Embedding(ITEMS + 1, 16, padding_idx=0)
        self.genres = nn.Embedding(len(_GENRES) + 1, 16, padding_idx=0)
        self.hidden = nn.Linear(49, 64)
        self.output = nn.Linear(64, 1)

    def forward(self, item: Tensor, genres: Tensor, history: Tensor, hour: Tensor, unread: Tensor) -> Tensor:  # noqa: ARG002
        """See `RankerSource`; one feature is not read, and stays an input."""
        parts = [self.items(item), self._mean(self.genres, genres), self._mean(self.items, history), hour.unsqueeze(-1)]
        logit: Tensor = self.output(torch.relu(self.hidden(torch.cat(parts, dim=-1)))).squeeze(-1)
        return logit

    def _mean(self, table: nn.Embedding, indexes: Tensor) -> Tensor:
        mask = (indexes != 0).float().unsqueeze(-1)
        total: Tensor = (table(indexes) * mask).sum(1) / mask.sum(1).clamp(min=1)
        return total


FEATURES = (
    Feature("item", "category", "item", vocabulary=_IDS),
    Feature("genres", "categories", "item", vocabulary=_GENRES, longest=3),
    Feature("history", "categories", "context", vocabulary=_IDS, longest=12),
    Feature("hour", "number", "context"),
    Feature("unread", "number", "context"),
)


def ranker(**parts: object) -> Ranker:
    """Return a ranker with random weights."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    genres = np.zeros((ITEMS, 2), np.int32)
    genres[:, 0] = rng.integers(1, 6, ITEMS)
    values = {"item": np.arange(1, ITEMS + 1, dtype=np.int32), "genres": genres}
    given = {"network": SmallRanker().eval(), "features": FEATURES, "item_values": values}
    return Ranker(**(given | {"catalogue": Catalogue(_IDS), "name": "small"} | parts))  # type: ignore[arg-type]  # wrong on purpose


def examples(rows: int = 600, *, seed: int = 1) -> Examples:
    """Return examples whose labels the ranker of `ranker` half knows."""
    rng = np.random.default_rng(seed)
    source = ranker()
    item = rng.integers(0, ITEMS + 1, rows).astype(np.int32)
    history = np.zeros((rows, 9), np.int32)
    for row in history:
        row[: rng.integers(0, 10)] = rng.integers(1, ITEMS + 1)
    inputs = {
        "item": item,
        "genres": np.where(item[:, None] > 0, source.item_values["genres"][item - 1], 0).astype(np.int32),
        "history": history,
        "hour": rng.normal(size=rows).astype(np.float32),
        "unread": np.zeros(rows, np.float32),
    }
    with torch.inference_mode():
        logit = source.network(*map(torch.from_numpy, inputs.values())).numpy()  # type: ignore[operator]
    labels = (logit + rng.normal(size=rows) * logit.std() > logit.mean()).astype(np.float32)
    return Examples(inputs=inputs, labels=labels, users=np.arange(rows) // 10)


def neighbours(**parts: object) -> Neighbours:
    """Return weights from each item to some twenty others."""
    rng = np.random.default_rng(3)
    rows = [np.sort(rng.choice(ITEMS, rng.integers(1, 40), replace=False)) for _ in range(ITEMS)]
    given = {
        "starts": np.cumsum([0, *map(len, rows)]),
        "items": np.concatenate(rows),
        "values": rng.normal(size=sum(map(len, rows))).astype(np.float32),
        "catalogue": Catalogue(_IDS, popularity=rng.integers(1, 900, ITEMS).astype(np.uint32)),
        "max_length": 15,
        "name": "near",
    }
    return Neighbours(**(given | parts))  # type: ignore[arg-type]  # wrong on purpose


class WithContext(nn.Module):
    """The mean of the events, moved by the user's age group and the hour."""

    def __init__(self) -> None:
        super().__init__()
        self.ages = nn.Embedding(4, 32)
        self.output = nn.Linear(33, 32)

    def forward(self, vectors: Tensor, mask: Tensor, age: Tensor, hour: Tensor) -> Tensor:
        """See `RetrieverSource`."""
        mean = (vectors * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        query: Tensor = self.output(torch.cat([mean + self.ages(age), hour.unsqueeze(-1)], dim=-1))
        return query


def with_context() -> Retriever:
    """Return a retriever that takes an age group and an hour."""
    torch.manual_seed(0)
    context = (Feature("age", "category", "context", vocabulary=("18", "25", "35")), Feature("hour", "number", "context"))
    table = np.random.default_rng(0).normal(size=(ITEMS, 32)).astype(np.float32)
    return Retriever(
        encoder=WithContext().eval(), item_table=table, catalogue=Catalogue(_IDS), max_length=10, name="aged", context=context
    )


def histories(users: int = 60, *, context: bool = False) -> list[History]:
    """Return histories with targets; every seventh event is unknown."""
    rng = np.random.default_rng(5)
    made = []
    for user in range(users):
        ids = [f"i{row}" if row % 7 else f"x{row}" for row in rng.permutation(ITEMS)[: rng.integers(3, 25)]]
        given = {"age": ("18", "25", "99", None)[user % 4], "hour": user / 10} if context else None
        made.append(History(tuple(ids), target=f"i{rng.integers(ITEMS)}", user=str(user), context=given))
    return made
