"""Neighbours: for each item the weights with which it speaks for others, and no encoder."""

from __future__ import annotations

__all__ = ["Neighbours", "NeighboursSource"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_rec_runtime import Catalogue


@runtime_checkable
class NeighboursSource(Protocol):
    """A model whose score of an item is the sum of the weights that the items of the history give it.

    score[j] = sum of weights[i, j] over the distinct items i of the window, as in EASE, SLIM and item-based k-nearest neighbours.
    The weights are sparse, in compressed rows: row i names ``items[starts[i]:starts[i + 1]]`` with as many ``values``.
    """

    @property
    def kind(self) -> Literal["neighbours"]:
        """What sort of recommender it is: ``"neighbours"``."""

    @property
    def name(self) -> str:
        """Short name, for file names and reports."""

    @property
    def starts(self) -> NDArray[np.integer]:
        """[items + 1] integers, where each row begins in ``items`` and ``values``; the first is 0, the last their length."""

    @property
    def items(self) -> NDArray[np.integer]:
        """[weights] integers, the rows of the catalogue that are spoken for, each once within a row."""

    @property
    def values(self) -> NDArray[np.float32]:
        """[weights] float32."""

    @property
    def catalogue(self) -> Catalogue:
        """The ids of the rows, and what is known of the items."""

    @property
    def max_length(self) -> int:
        """Longest history, in events, that is looked at; older events fall out of the window."""


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The protocol as a record, for whoever has the parts at hand; see `NeighboursSource` for what they mean."""

    starts: NDArray[np.integer]
    items: NDArray[np.integer]
    values: NDArray[np.float32]
    catalogue: Catalogue
    max_length: int
    name: str = "model"
    kind: Literal["neighbours"] = "neighbours"
