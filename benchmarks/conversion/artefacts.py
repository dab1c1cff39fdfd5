"""What a tool made of a model: something that answers, and what it weighs."""

from __future__ import annotations

__all__ = ["Artefact", "Feeds", "Search", "Verdict", "search_in"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Search: TypeAlias = Callable[[NDArray[Any], NDArray[np.bool_]], NDArray[np.int64]]
Feeds: TypeAlias = Mapping[str, NDArray[Any]]


_K = 10


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """A converted model, open and ready.

    Attributes:
        tool: Who made it.
        target: ``onnx`` or ``tflite``.
        precision: In the tool's own words.
        model_bytes: Graphs and tables.
        seconds: Conversion alone, without checks.
        run: The graph alone: its inputs -> queries [batch, dims] or logits [batch].
        look_up: Item rows -> the graph's inputs, outside of the graph; None where the look-up is a part of it.
        search: Query [dims], allowed [items] -> the ten best rows; None for a ranker.
    """

    tool: str
    target: str
    precision: str
    model_bytes: int
    seconds: float
    run: Callable[[Feeds], NDArray[Any]]
    look_up: Callable[[Feeds], Feeds] | None = None
    search: Search | None = None

    def prepared(self, feeds: Feeds) -> Feeds:
        """Return the graph's inputs."""
        return feeds if self.look_up is None else self.look_up(feeds)

    def answer(self, feeds: Feeds) -> NDArray[Any]:
        """Return queries [batch, dims] or logits [batch]."""
        return self.run(self.prepared(feeds))


def search_in(table: NDArray[np.float32] | None) -> Search | None:
    """Return an exact search in float of a table [items, dims], ties by row."""
    if table is None:
        return None

    def search(query: NDArray[Any], allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        scores = np.where(allowed, table @ query, -np.inf)
        best = np.argpartition(-scores, _K)[:_K]
        return best[np.argsort(-scores[best], kind="stable")]

    return search


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How near an artefact is to its source.

    Attributes:
        figures: The row's quality columns: ``overlap_at_10`` or ``auc_delta``, and their intervals.
        drift: Largest change of an answer when it is computed in a batch of 32, in standard deviations of the answers.
        constant: Whether every answer is the same.
    """

    figures: Mapping[str, Any]
    drift: float
    constant: bool
