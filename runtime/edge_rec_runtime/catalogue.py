"""The catalogue: item ids and their rows, and what is known of the items."""

from __future__ import annotations

__all__ = ["Catalogue"]

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime._near import nearest
from edge_rec_runtime.errors import DataError, RequestError
from edge_rec_runtime.words import Words, refuse_breaks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_HINTED = 50_000  # ids compared for "nearest": more would keep a mistyped request waiting for seconds


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The items of a model, in the order of the item table's rows.

    Attributes:
        ids: One id a row, each once, without line breaks.
        titles: One title a row.
        attributes: For each attribute the values of every item, in row order; an item may have none.
        popularity: [items] uint32, how often each item was met in training.
    """

    ids: tuple[str, ...]
    titles: tuple[str, ...] | None = None
    attributes: Mapping[str, tuple[tuple[str, ...], ...]] | None = None
    popularity: NDArray[np.uint32] | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be written to a bundle and read back as it was."""
        if not self.ids:
            raise DataError("the catalogue is empty; a recommender needs at least one item")
        object.__setattr__(self, "ids", Words.of(self.ids, "id of item"))
        if "" in self._rows:
            raise DataError(f"the id of item {self.ids.index('')} is empty; every item needs an id")
        if len(self._rows) != len(self.ids):
            seen: set[str] = set()
            twice = next(one for one in self.ids if one in seen or seen.add(one))  # type: ignore[func-returns-value]
            raise DataError(f"item id {twice!r} stands twice in the catalogue; every id names one item")
        if self.titles is not None:
            self._refuse_length("titles", len(self.titles))
            refuse_breaks("title of item", self.titles)
        for name, values in (self.attributes or {}).items():
            self._refuse_length(f"lists of the attribute {name!r}", len(values))
        if self.popularity is not None:
            if self.popularity.dtype != np.uint32 or self.popularity.ndim != 1:
                raise DataError(
                    f"popularity is {self.popularity.dtype} {list(self.popularity.shape)}; expected uint32 [{len(self)}]"
                )
            self._refuse_length("popularity counts", len(self.popularity))

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.ids)

    def rows(self, ids: Iterable[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Look ids up.

        Args:
            ids: Item ids in any order, repeated or not.

        Returns:
            The rows [known] int64 of the known ids, in the order given, and the ids that are not in the catalogue.
        """
        asked = tuple(ids)
        found = list(map(self._rows.get, asked))
        unknown: tuple[str, ...] = ()
        if None in found:
            unknown = tuple(one for one, row in zip(asked, found, strict=True) if row is None)
            found = [row for row in found if row is not None]
        return np.array(found, dtype=np.int64), unknown

    def row(self, item: str) -> int:
        """Return the row of one id.

        Raises:
            RequestError: The id is unknown; the message names the nearest ids, and titles that resemble it.
        """
        if not isinstance(item, str):
            raise RequestError(f"item {item!r} is {type(item).__name__}; expected an id as text, like '50'")
        row = self._rows.get(item)
        if row is None:
            raise RequestError(f"item {item!r} is not in the catalogue of {len(self)} items{self._nearest(item)}")
        return row

    def title(self, row: int) -> str | None:
        """Return the title of a row, or None where the bundle has no titles."""
        return None if self.titles is None else self.titles[row]

    def matching(self, where: Mapping[str, str | Sequence[str]]) -> NDArray[np.bool_]:
        """Filter by attributes.

        Args:
            where: For each attribute a value, or several of which any will do; every attribute must match.

        Returns:
            [items] bool.

        Raises:
            RequestError: An attribute or a value that no item has; the message names the nearest known.
        """
        if not isinstance(where, Mapping):
            raise RequestError(f"where is {where!r}; expected values by attribute, like {{'genres': ['Comedy', 'Drama']}}")
        matches = np.ones(len(self), dtype=np.bool_)
        for name, wanted in where.items():
            index = self._attribute(name)
            one = np.zeros(len(self), dtype=np.bool_)
            for value in tuple(wanted) if isinstance(wanted, Iterable) and not isinstance(wanted, str | bytes) else (wanted,):
                if not isinstance(value, str) or value not in index:
                    raise RequestError(f"no item has {name}={value!r}{_did_you_mean(str(value), index) or _some_of(index)}")
                one[index[value]] = True
            matches &= one
        return matches

    @cached_property
    def _rows(self) -> dict[str, int]:
        return Words.of(self.ids, "id of item").places

    @cached_property
    def _indexes(self) -> dict[str, dict[str, NDArray[np.int64]]]:
        return {}

    def _attribute(self, name: str) -> dict[str, NDArray[np.int64]]:
        """Return the rows of each value of an attribute, built when it is first asked for."""
        known = self.attributes or {}
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has no attributes"
            raise RequestError(f"the catalogue has no attribute {name!r}; {has}{_did_you_mean(str(name), known)}")
        if name not in self._indexes:
            rows: dict[str, list[int]] = {}
            for row, values in enumerate(known[name]):
                for value in values:
                    rows.setdefault(value, []).append(row)
            self._indexes[name] = {value: np.array(found, dtype=np.int64) for value, found in rows.items()}
        return self._indexes[name]

    def _nearest(self, item: str) -> str:
        hints = [repr(one) for one in nearest(item, self.ids[:_HINTED], count=3)]
        if self.titles is not None and item:
            wanted = item.casefold()
            found = (row for row, title in enumerate(self.titles) if wanted in title.casefold())
            hints += [f"{self.ids[row]!r} ({self.titles[row]})" for row, _ in zip(found, range(3), strict=False)]
        return f"; nearest: {', '.join(hints)}" if hints else f"; ids look like {self.ids[0]!r}"

    def _refuse_length(self, what: str, found: int) -> None:
        if found != len(self.ids):
            raise DataError(f"there are {found} {what} for {len(self.ids)} items; there must be one an item, in the same order")


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    near = nearest(word, known, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def _some_of(known: Iterable[str]) -> str:
    first = [repr(one) for one, _ in zip(known, range(5), strict=False)]
    return f"; there is {', '.join(first)}{', ...' if len(first) == 5 else ''}" if first else ""
