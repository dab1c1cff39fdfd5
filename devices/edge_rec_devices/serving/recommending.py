"""Histories in, recommendations out: retrievers and tables of neighbours."""

from __future__ import annotations

__all__ = ["Recommending"]

import time
from typing import TYPE_CHECKING, Any, Self

from edge_rec_devices.serving.protocol import known_context
from edge_rec_runtime import History, Recommender
from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edge_rec_devices.serving.protocol import Request
    from edge_rec_runtime import Bundle, Catalogue, Recommendation, Recommendations


class Recommending:
    """A recommender; see `Serving`."""

    opener = "Recommender"
    stages: tuple[str, ...] = ("lookup", "gather", "encode", "filter", "search", "label")

    def __init__(self, recommender: Recommender) -> None:
        self._recommender = recommender

    @classmethod
    def open(cls, path: Path, *, backend: str, threads: int) -> Self:
        """See `Serving`."""
        return cls(Recommender.open(path, backend=backend, threads=threads))

    @property
    def bundle(self) -> Bundle:
        """See `Serving`."""
        return self._recommender.bundle

    @property
    def catalogue(self) -> Catalogue:
        """See `Serving`."""
        return self._recommender.catalogue

    @property
    def backend(self) -> str:
        """See `Serving`."""
        return self._recommender.backend

    def fitting(self, requests: Sequence[Request]) -> list[dict[str, Any]]:
        """See `Serving`; popularity, which answers histories without a known event, is no model's work."""
        histories = [one for one in requests if isinstance(one, History)]
        found = [
            {"history": one.events, "context": known_context(self._recommender.features, one.context)}
            for one in histories
            if len(self._recommender.lookup(one.events)[0])
        ]
        if not histories:
            raise MeasurementError(
                f"{self.bundle.path.name} recommends after a history, and no history was given; "
                'give some: --histories FILE.jsonl, one {"history": ["50", "172"]} a line'
            )
        if not found:
            raise MeasurementError(
                f"none of the {len(histories)} histories holds an item of {self.bundle.path.name}; "
                "give histories of the data that it was trained on"
            )
        return found

    def size(self, request: Mapping[str, Any]) -> int:
        """See `Serving`."""
        return len(request["history"])

    def whole(self, request: Mapping[str, Any], *, k: int) -> Recommendations:
        """See `Serving`."""
        return self._recommender.recommend(request["history"], k=k, context=request["context"])

    def in_stages(self, request: Mapping[str, Any], *, k: int) -> tuple[tuple[Recommendation, ...], tuple[int, ...]]:
        """See `Serving`."""
        recommender, clock = self._recommender, time.perf_counter_ns
        begun = clock()
        rows, _ = recommender.lookup(request["history"])
        looked_up = clock()
        allowed = recommender.allowed(rows)
        filtered = clock()
        inputs = recommender.gather(rows, request["context"])
        gathered = clock()
        query = recommender.encode(*inputs)[0]
        encoded = clock()
        found, scores = recommender.search(query, k, allowed)
        searched = clock()
        answer = recommender.label(found, scores)
        labelled = clock()
        return answer, (
            looked_up - begun,
            gathered - filtered,
            encoded - gathered,
            filtered - looked_up,
            searched - encoded,
            labelled - searched,
        )

    def close(self) -> None:
        """See `Serving`."""
        self._recommender.close()
