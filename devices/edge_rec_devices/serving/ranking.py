"""Candidates in, the same candidates in order out: rankers."""

from __future__ import annotations

__all__ = ["Ranking"]

import time
from typing import TYPE_CHECKING, Any, Self

from edge_rec_devices.serving.protocol import known_context
from edge_rec_runtime import Ranker, RankRequest
from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edge_rec_devices.serving.protocol import Request
    from edge_rec_runtime import Bundle, Catalogue, Recommendation, Recommendations


class Ranking:
    """A ranker; see `Serving`."""

    opener = "Ranker"
    stages: tuple[str, ...] = ("lookup", "features", "run", "order")

    def __init__(self, ranker: Ranker) -> None:
        self._ranker = ranker

    @classmethod
    def open(cls, path: Path, *, backend: str, threads: int) -> Self:
        """See `Serving`."""
        return cls(Ranker.open(path, backend=backend, threads=threads))

    @property
    def bundle(self) -> Bundle:
        """See `Serving`."""
        return self._ranker.bundle

    @property
    def catalogue(self) -> Catalogue:
        """See `Serving`."""
        return self._ranker.catalogue

    @property
    def backend(self) -> str:
        """See `Serving`."""
        return self._ranker.backend

    def fitting(self, requests: Sequence[Request]) -> list[dict[str, Any]]:
        """See `Serving`; a request whose candidates are all unknown runs no graph."""
        ranked = [one for one in requests if isinstance(one, RankRequest)]
        found = [
            {"candidates": one.candidates, "context": known_context(self._ranker.features, one.context)}
            for one in ranked
            if len(self.catalogue.rows(one.candidates)[0])
        ]
        if not ranked:
            raise MeasurementError(
                f"{self.bundle.path.name} ranks candidates, and no request was given; "
                'give some: --requests FILE.jsonl, one {"candidates": ["50", "172"], "context": {"age": "25"}} a line'
            )
        if not found:
            raise MeasurementError(
                f"none of the {len(ranked)} requests has a candidate of {self.bundle.path.name}; "
                "give requests of the data that it was trained on"
            )
        return found

    def size(self, request: Mapping[str, Any]) -> int:
        """See `Serving`."""
        return len(request["candidates"])

    def whole(self, request: Mapping[str, Any], *, k: int) -> Recommendations:
        """See `Serving`."""
        return self._ranker.rank(request["candidates"], request["context"], k=k)

    def in_stages(self, request: Mapping[str, Any], *, k: int) -> tuple[tuple[Recommendation, ...], tuple[int, ...]]:
        """See `Serving`."""
        ranker, context, clock = self._ranker, request["context"], time.perf_counter_ns
        begun = clock()
        rows, _ = ranker.lookup(request["candidates"], context)
        looked_up = clock()
        inputs = ranker.gather(rows, context)
        gathered = clock()
        logits = ranker.run(inputs)
        ran = clock()
        answer = ranker.order(rows, logits, k)
        return answer, (looked_up - begun, gathered - looked_up, ran - gathered, clock() - ran)

    def close(self) -> None:
        """See `Serving`."""
        self._ranker.close()
