"""How a history becomes scores: by an encoder and vectors, or by a table of neighbours; one way a kind of bundle."""

from __future__ import annotations

__all__ = ["SCORINGS", "NeighbourScoring", "Scoring", "VectorScoring", "open_scoring"]

from typing import TYPE_CHECKING

from edge_rec_runtime.errors import RequestError
from edge_rec_runtime.scoring.neighbours import NeighbourScoring
from edge_rec_runtime.scoring.protocol import Scoring
from edge_rec_runtime.scoring.vectors import VectorScoring

if TYPE_CHECKING:
    from edge_rec_runtime.bundle import Bundle

SCORINGS: dict[str, type[Scoring]] = {
    "retriever": VectorScoring,
    "neighbours": NeighbourScoring,
}


def open_scoring(bundle: Bundle, *, backend: str = "auto", threads: int = 1) -> Scoring:
    """Return what scores the items of a bundle after a history.

    Raises:
        RequestError: The bundle is of a kind that takes no history.
        BackendError: No installed engine can run it.
    """
    kind = bundle.manifest.kind
    if kind not in SCORINGS:
        raise RequestError(
            f"{bundle.path}: a bundle of the kind {kind!r} scores candidates that are given to it; "
            "open it with Ranker.open, or use: edge-rec rank"
        )
    return SCORINGS[kind].open(bundle, backend=backend, threads=threads)
