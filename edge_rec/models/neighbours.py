"""Neighbours: how much each item speaks for each other one; a history's score of an item is the sum over the items in it.

`EASE` is Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019); `ItemItem` is the cosine of two items' users,
shrunk where few users stand behind it. Both keep only the strongest weights of the whole table: the same number of bytes holds
more of the ranking so than with as many for each item, since a popular item has much to say and most have little.
"""

from __future__ import annotations

__all__ = ["EASE", "EASEOptions", "ItemItem", "ItemItemOptions", "co_occurrences", "ease_weights", "item_item_weights"]

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy import sparse

from edge_rec.models.network import check_whole, options_of
from edge_rec_converters.protocol import Neighbours
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec.data import Sequences
    from edge_rec_runtime import Catalogue

_OWN = 10  # neighbours that an item has in any case: as many as `Recommender.similar` gives unless asked
_PARTS = {"starts": np.int64, "items": np.int32, "values": np.float32}


@dataclass(frozen=True, kw_only=True)
class EASEOptions:
    """The objective, and what is kept of its solution.

    Attributes:
        regularisation: Added to the diagonal of the co-occurrences.
        neighbours: Weights kept, as so many an item: the largest by magnitude of the whole table.
        max_length: Events that are looked back.
    """

    regularisation: float = 200.0
    neighbours: int = 200
    max_length: int = 10

    def __post_init__(self) -> None:
        """Refuse what has no solution."""
        check_whole("EASE", self, "neighbours", "max_length")
        _check_number("EASE", "regularisation", self.regularisation, above=True)


@dataclass(frozen=True, kw_only=True)
class ItemItemOptions:
    """How alike two items are, and what is kept of it.

    Attributes:
        shrinkage: Added to the denominator of the cosine: likeness that few users stand behind counts less.
        neighbours: Weights kept, as so many an item: the largest of the whole table.
        max_length: Events that are looked back.
    """

    shrinkage: float = 50.0
    neighbours: int = 200
    max_length: int = 10

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        check_whole("item-item", self, "neighbours", "max_length")
        _check_number("item-item", "shrinkage", self.shrinkage, above=False)


def co_occurrences(met: Sequences, items: int) -> NDArray[np.float64]:
    """Return how many users met both of two items, [items, items]; on the diagonal how many met the one."""
    ones = np.ones(len(met.items), dtype=np.float32)
    table: Any = sparse.csr_array((ones, met.items, met.offsets), shape=(len(met), items))  # type: ignore[no-untyped-call]
    table.sum_duplicates()
    table.data[:] = 1  # an item met twice is met
    counts: NDArray[np.float64] = (table.T @ table).toarray().astype(np.float64)
    return counts


def ease_weights(counts: NDArray[np.float64], regularisation: float) -> NDArray[np.float32]:
    """Return the weights [items, items] that foretell each item best from all others, its own weight being 0.

    With P the inverse of the co-occurrences plus the regularisation, weight[i, j] = -P[i, j] / P[j, j].
    """
    inverse = np.linalg.inv(counts + regularisation * np.eye(len(counts)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)


def item_item_weights(counts: NDArray[np.float64], shrinkage: float) -> NDArray[np.float32]:
    """Return both / (sqrt(one x other) + shrinkage) for every two items, [items, items], 0 for an item and itself."""
    met = np.diag(counts)
    weights = counts / np.maximum(np.sqrt(np.outer(met, met)) + shrinkage, 1e-12)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)


class _Table:
    """Rows of neighbours; what `EASE` and `ItemItem` share.

    Attributes:
        options: How they were made.
        catalogue: The ids of the items.
        starts: [items + 1] int64, where each row begins.
        items: [weights] int32 rows of the catalogue, ascending within a row.
        values: [weights] float32.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    Options: ClassVar[type]

    def __init__(
        self,
        options: Any,  # noqa: ANN401 - each model's own dataclass
        catalogue: Catalogue,
        *,
        starts: NDArray[np.int64],
        items: NDArray[np.int32],
        values: NDArray[np.float32],
    ) -> None:
        self.options = options
        self.catalogue = catalogue
        self.starts = starts
        self.items = items
        self.values = values

    @classmethod
    def strongest(cls, options: Any, catalogue: Catalogue, weights: NDArray[np.float32]) -> Self:  # noqa: ANN401 - as above
        """Keep the largest by magnitude of all ``weights`` [items, items]: ``options.neighbours`` for each item there is.

        Each item keeps its own ten largest, or fewer where fewer are to be kept, so that none is left without neighbours. Of
        equal ones the first in row order is kept; a weight of 0 never is.
        """
        size, kept = np.abs(weights), np.zeros(weights.shape, dtype=bool)
        own = np.argsort(-size, axis=1, kind="stable")[:, : min(_OWN, options.neighbours)]
        np.put_along_axis(kept, own, values=True, axis=1)
        kept &= weights != 0
        size[kept] = 0
        left = min(options.neighbours * len(weights) - int(kept.sum()), int(np.count_nonzero(size)))
        if left > 0:
            least = np.partition(size, -left, axis=None)[-left]
            kept |= size > least
            tied = np.flatnonzero(size == least)
            kept.flat[tied[: left - int((size > least).sum())]] = True
        starts = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int64)
        return cls(options, catalogue, starts=starts, items=np.nonzero(kept)[1].astype(np.int32), values=weights[kept])

    def source(self) -> Neighbours:
        """Return the model as the converters take it."""
        return Neighbours(
            starts=self.starts,
            items=self.items,
            values=self.values,
            catalogue=self.catalogue,
            max_length=self.options.max_length,
            name=self.name,
        )

    def describe(self) -> dict[str, object]:
        """Return the options, fit for JSON."""
        return asdict(self.options)

    def weights(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in _PARTS}

    @classmethod
    def restore(cls, described: Mapping[str, object], weights: Mapping[str, NDArray[Any]], catalogue: Catalogue) -> Self:
        """Build a model from what `describe` and `weights` gave.

        Raises:
            ModelError: An unknown option, or arrays that are missing, of another type, or no rows of this catalogue.
        """
        options: Any = options_of(cls.title, cls.Options, described)
        shown = {name: f"{value.dtype} {list(value.shape)}" for name, value in weights.items()}
        typed = set(weights) == set(_PARTS) and all(weights[name].dtype == dtype for name, dtype in _PARTS.items())
        if not typed or any(weights[name].ndim != 1 for name in _PARTS) or len(weights["items"]) != len(weights["values"]):
            wanted = ", ".join(f"{name} {np.dtype(dtype)}" for name, dtype in _PARTS.items())
            raise ModelError(f"{cls.title}: found {shown}, expected {wanted}, one value an item; train again")
        starts, items, values = (np.array(weights[name]) for name in _PARTS)
        rows = len(starts) == len(catalogue) + 1 and starts[0] == 0 and starts[-1] == len(items) and (np.diff(starts) >= 0).all()
        if not rows or (len(items) and (items.min() < 0 or items.max() >= len(catalogue))):
            raise ModelError(
                f"{cls.title}: the rows are not those of a catalogue of {len(catalogue)} items; "
                "config.json, catalogue and weights must come from one run"
            )
        if not np.isfinite(values).all():
            raise ModelError(f"{cls.title}: some values are not finite; train again with more regularisation")
        return cls(options, catalogue, starts=starts, items=items, values=values)


class EASE(_Table):
    """The closed-form item-to-item regression."""

    name: ClassVar[str] = "ease"
    title: ClassVar[str] = "EASE"
    Options: ClassVar[type] = EASEOptions


class ItemItem(_Table):
    """The shrunk cosine of two items' users."""

    name: ClassVar[str] = "item-item"
    title: ClassVar[str] = "item-item"
    Options: ClassVar[type] = ItemItemOptions


def _check_number(title: str, name: str, value: object, *, above: bool) -> None:
    if not isinstance(value, int | float) or not math.isfinite(value) or value < 0 or (above and value == 0):
        raise ModelError(f"{title}: {name}={value!r} is not a number {'above 0' if above else 'from 0 up'}")
