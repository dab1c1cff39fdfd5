"""What rankers are fed: features of item, user and moment, made from a data set with its users and items.

Every value is encoded by `Feature.encode`, in training as on the device. The words are those of the training events: a user
or an item that came later, or hardly ever, has the index 0.

| feature | kind | of | what |
|---|---|---|---|
| ``user`` | category | context | the user's id |
| ``gender``, ``age``, ``occupation``, ... | category | context | what the data say of users; ages in MovieLens' seven groups |
| ``hour``, ``weekday`` | category | context | 0 to 23 and 0 (Monday) to 6, in UTC |
| ``activity`` | number | context | log(1 + events of the user before) |
| ``liking`` | number | context | share of clicks among those, drawn to 0.5 as if there had been four more |
| ``history`` | categories | context | the newest clicks before, oldest first |
| ``item`` | category | item | the item's id |
| ``genres``, ``year``, ... | category, categories | item | what the data say of items |
| ``popularity`` | number | item | log(1 + events of the item in training) |
"""

from __future__ import annotations

__all__ = ["RankerInputs", "RankingData", "ranking_data"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec.data.clicks import Clicks, Past, clicks
from edge_rec.data.times import per_second
from edge_rec_converters.examples import Examples
from edge_rec_runtime.errors import DataError
from edge_rec_runtime.features import Feature

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_rec.data.dataset import Dataset
    from edge_rec_runtime import Catalogue

_AGES = (1, 18, 25, 35, 45, 50, 56)  # MovieLens-1M's groups: each from this age on
_MOST_WORDS = 16  # of one item in one attribute
_DAY = 86_400
_THURSDAY = 3  # 1 January 1970


@dataclass(frozen=True, kw_only=True)
class RankerInputs:
    """What a ranker is fed, and its values for every item of the catalogue.

    Attributes:
        features: In the order of the network's arguments.
        item_values: For each feature of the item its values for the catalogue, encoded.
        catalogue: The items.
    """

    features: tuple[Feature, ...]
    item_values: Mapping[str, NDArray[Any]]
    catalogue: Catalogue

    def only(self, names: Sequence[str]) -> RankerInputs:
        """Return these features alone, in this order.

        Raises:
            DataError: The data set does not give one of them.
        """
        known = {one.name: one for one in self.features}
        if missing := [name for name in names if name not in known]:
            raise DataError(f"the data have no feature {missing[0]!r}; they give {', '.join(known)}")
        return RankerInputs(
            features=tuple(known[name] for name in names),
            item_values={name: self.item_values[name] for name in names if name in self.item_values},
            catalogue=self.catalogue,
        )


@dataclass(frozen=True)
class _Column:
    """A feature's encoded values, and which of them each event has; [events] rows of ``values``."""

    values: NDArray[Any]
    of: NDArray[np.integer[Any]]


@dataclass(frozen=True, kw_only=True)
class RankingData:
    """A data set made into examples.

    Attributes:
        inputs: All features that it gives.
        clicks: The events, split by time.
    """

    inputs: RankerInputs
    clicks: Clicks
    _columns: Mapping[str, _Column]
    _past: Past  # of clicks on items of the catalogue
    _item_index: NDArray[np.int32]

    def encoded(self, features: Sequence[Feature], rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return the inputs of some events, [n] or [n, length], for the given features by name."""
        found = {}
        for feature in features:
            if feature.name == "history":
                items = self._past.newest(rows, feature.longest)
                found["history"] = np.where(items < 0, 0, self._item_index[items]).astype(np.int32)
            else:
                column = self._columns[feature.name]
                found[feature.name] = column.values[column.of[rows]]
        return found

    def examples(self, features: Sequence[Feature], rows: NDArray[np.int64]) -> Examples:
        """Return some events as examples, with their labels and users."""
        labels, users = self.clicks.clicked[rows].astype(np.float32), self.clicks.users[rows].astype(np.int64)
        return Examples(inputs=self.encoded(features, rows), labels=labels, users=users)


def ranking_data(dataset: Dataset, *, core: int = 5, longest: int = 50) -> RankingData:
    """Make features from a data set.

    Args:
        dataset: A log with ratings; attributes of its users and items become features.
        core: Users and items with fewer events in training are not told apart: their index is 0.
        longest: Clicks that a history looks back.

    Raises:
        DataError: The log cannot be ranked, or no item is frequent enough.
    """
    log = dataset.interactions
    events = clicks(log)
    counts = np.bincount(events.items[events.train], minlength=len(log.item_ids))
    kept = np.flatnonzero(counts >= core)
    if not len(kept):
        raise DataError(
            f"no item has {core} events among the {len(events.train)} for training; ask for fewer, or use a longer log"
        )
    ids = tuple(log.item_ids[row] for row in kept)
    catalogue = dataset.items.catalogue(ids, popularity=counts[kept].astype(np.uint32))
    item_index = np.zeros(len(log.item_ids), dtype=np.int32)
    item_index[kept] = np.arange(1, len(kept) + 1)

    made: list[tuple[Feature, _Column]] = [*_of_users(dataset, events, core), *_of_moments(events)]
    history = Feature("history", "categories", "context", ids, longest)
    items = [(Feature("item", "category", "item", ids), item_index), *_of_items(dataset, kept)]
    items.append((Feature("popularity", "number", "item"), np.log1p(counts).astype(np.float32)))
    made += [(feature, _Column(values, events.items)) for feature, values in items]
    return RankingData(
        inputs=RankerInputs(
            features=(history, *(feature for feature, _ in made)),
            item_values={feature.name: values[kept] for feature, values in items},
            catalogue=catalogue,
        ),
        clicks=events,
        _columns={feature.name: column for feature, column in made},
        _past=events.past.among(item_index > 0),
        _item_index=item_index,
    )


def _of_users(dataset: Dataset, events: Clicks, core: int) -> list[tuple[Feature, _Column]]:
    ids = dataset.interactions.user_ids
    counts = np.bincount(events.users[events.train], minlength=len(ids))
    made = []
    if (counts >= core).any():
        feature = Feature("user", "category", "context", tuple(ids[row] for row in np.flatnonzero(counts >= core)))
        made.append((feature, _Column(feature.encode(ids), events.users)))
    for name, known in dataset.users.attributes.items():
        values = [known.get(one) for one in ids]
        if name == "age":
            values = [_age_group(value) for value in values]
        if words := _words(value for value, count in zip(values, counts, strict=True) if count):
            feature = Feature(name, "category", "context", words)
            made.append((feature, _Column(feature.encode(values), events.users)))
    return made


def _of_moments(events: Clicks) -> list[tuple[Feature, _Column]]:
    seconds = events.timestamps // per_second(int(events.timestamps[-1]))
    each = np.arange(len(seconds))
    hour, weekday = (seconds // 3_600) % 24, (seconds // _DAY + _THURSDAY) % 7
    made = []
    for name, of, count in (("hour", hour, 24), ("weekday", weekday, 7)):
        feature = Feature(name, "category", "context", tuple(str(one) for one in range(count)))
        made.append((feature, _Column(feature.encode(list(range(count))), of)))
    past = events.past
    for name, values in (("activity", np.log1p(past.events)), ("liking", (past.liked + 2) / (past.events + 4))):
        made.append((Feature(name, "number", "context"), _Column(values.astype(np.float32), each)))
    return made


def _of_items(dataset: Dataset, kept: NDArray[np.int64]) -> list[tuple[Feature, NDArray[Any]]]:
    ids = dataset.interactions.item_ids
    made: list[tuple[Feature, NDArray[Any]]] = []
    for name, known in dataset.items.attributes.items():
        values = [known.get(one, ()) for one in ids]
        words = _words(word for row in kept for word in values[row])
        longest = min(_MOST_WORDS, max((len(values[row]) for row in kept), default=0))
        if longest > 1:
            feature = Feature(name, "categories", "item", words, longest)
            made.append((feature, feature.encode(values)))
        elif words:
            feature = Feature(name, "category", "item", words)
            made.append((feature, feature.encode([one[0] if one else None for one in values])))
    return made


def _words(values: Iterable[str | None]) -> tuple[str, ...]:
    """Return the distinct words, whole numbers by size and before the others."""
    return tuple(sorted({one for one in values if one}, key=lambda one: (0, int(one), one) if one.isdecimal() else (1, 0, one)))


def _age_group(value: str | None) -> str | None:
    """Return the first age of the group that an age belongs to; what is no whole number stays as it is."""
    if value is None or not value.isdecimal():
        return value
    return str(max(start for start in _AGES if start <= max(int(value), 1)))
