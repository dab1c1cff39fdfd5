"""An open bundle and how its requests are answered, whole and stage by stage: one way for histories, one for candidates."""

from __future__ import annotations

__all__ = ["SERVINGS", "Ranking", "Recommending", "Request", "Serving", "open_serving"]

from typing import TYPE_CHECKING

from edge_rec_devices.serving.protocol import Request, Serving
from edge_rec_devices.serving.ranking import Ranking
from edge_rec_devices.serving.recommending import Recommending
from edge_rec_runtime import Bundle

if TYPE_CHECKING:
    from pathlib import Path

SERVINGS: dict[str, type[Serving]] = {
    "retriever": Recommending,
    "neighbours": Recommending,
    "ranker": Ranking,
}


def open_serving(path: Path, *, backend: str = "auto", threads: int = 1) -> Serving:
    """Open a bundle of any kind, every byte of it checked.

    Raises:
        BundleError: It is damaged, or no bundle.
        BackendError: No installed engine runs it.
    """
    with Bundle.open(path, verify="full") as bundle:
        kind = bundle.manifest.kind
    return SERVINGS[kind].open(path, backend=backend, threads=threads)
