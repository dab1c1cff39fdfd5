"""Scores of a retriever: an engine turns vectors of the history into a query, and the item table is searched for it."""

from __future__ import annotations

__all__ = ["VectorScoring"]

import threading
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from edge_rec_runtime._requests import encode_context
from edge_rec_runtime.backends import open_graph, open_steps
from edge_rec_runtime.buckets import bucket, pad_words
from edge_rec_runtime.cosines import Cosines
from edge_rec_runtime.errors import BackendError
from edge_rec_runtime.scoring.steps import Stepper
from edge_rec_runtime.search import search

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec_runtime.backends import Graph
    from edge_rec_runtime.bundle import Bundle
    from edge_rec_runtime.codes import ItemTable
    from edge_rec_runtime.scoring.protocol import Found


class VectorScoring:
    """See `Scoring`. The exact table also feeds the encoder: the rescore table where the bundle has one."""

    def __init__(self, bundle: Bundle, encoder: Graph, *, threads: int = 1) -> None:
        self._encoder = encoder
        self._bundle, self._threads = bundle, threads
        self._stepper: Stepper | None = None
        self._opening = threading.Lock()
        self._items = bundle.table("items")
        self._rescore = bundle.table("rescore") if "rescore" in bundle.manifest.layouts else None
        self.exact: ItemTable = self._items if self._rescore is None else self._rescore
        self.backend = encoder.backend
        self._path = bundle.path
        self._max_length = bundle.manifest.max_length
        self._features = bundle.features
        self._events = np.ones((1, self._max_length), dtype=np.float32)
        self._events.setflags(write=False)
        self._cosines = Cosines(self.exact)

    @classmethod
    def open(cls, bundle: Bundle, *, backend: str, threads: int) -> Self:
        """See `Scoring.open`."""
        return cls(bundle, open_graph(bundle, backend=backend, threads=threads), threads=threads)

    def gather(self, rows: NDArray[np.int64], context: Mapping[str, object] | None) -> tuple[NDArray[Any], ...]:
        """Return vectors [1, length, dims], mask [1, length], then one array a feature.

        Histories are padded to their bucket's length where the engine plans every shape anew, else none is computed with more
        events than it has. Lists of words are padded to their buckets.
        """
        window = rows[-self._max_length :]
        events = len(window)
        vectors, mask = self.exact.decode(window)[None], self._events[:, :events]
        if self._encoder.plans_shapes:
            length = bucket(events, self._max_length)
            vectors, mask = _padded(vectors, length), _padded(mask, length)
        encoded = encode_context(self._features, context)
        words = (
            pad_words(encoded[one.name], one.longest) if one.kind == "categories" else encoded[one.name] for one in self._features
        )
        return vectors, mask, *words

    def encode(self, *inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the queries [batch, dims] float32."""
        names = ("vectors", "mask", *(feature.name for feature in self._features))
        batch = len(inputs[0])
        queries = self._encoder(dict(zip(names, inputs, strict=True)))
        if queries.shape != (batch, self._items.dims) or not np.isfinite(queries).all():
            raise BackendError(
                f"{self._path}: {self.backend} gave a query {list(queries.shape)}, perhaps with NaN, "
                f"for {list(inputs[0].shape)}; expected finite [{batch}, {self._items.dims}], convert the model again"
            )
        return queries

    def search(self, query: NDArray[Any], k: int, allowed: NDArray[np.bool_] | None) -> Found:
        """See `Scoring.search`; rescored exactly where the bundle has a rescore table."""
        return search(self._items, query, k, rescore=self._rescore, allowed=allowed)

    def similar(self, row: int, k: int) -> Found:
        """See `Scoring.similar`; by cosine."""
        return self._cosines.nearest(row, k)

    def explain(self, row: int, k: int, among: NDArray[np.int64]) -> Found:
        """See `Scoring.explain`; by cosine."""
        return self._cosines.nearest(row, k, among=among)

    def stepper(self) -> Stepper | None:
        """See `Scoring.stepper`; its graph is loaded when it is first asked for, and once."""
        steps = self._bundle.manifest.steps
        with self._opening:
            if self._stepper is None and steps is not None:
                graph = open_steps(self._bundle, backend=self.backend, threads=self._threads)
                if graph is not None:
                    self._stepper = Stepper(graph, steps.state, self.exact, max_length=self._max_length, path=self._path)
            return self._stepper

    def close(self) -> None:
        """See `Scoring.close`."""
        self._encoder.close()
        if self._stepper is not None:
            self._stepper.close()


def _padded(values: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Return [1, events, ...] with zeros up to a length."""
    wide = np.zeros((1, length, *values.shape[2:]), dtype=np.float32)
    wide[:, : values.shape[1]] = values
    return wide
