"""The stages between a history's rows and the rows that answer it."""

from __future__ import annotations

__all__ = ["Found", "Scoring"]

from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_rec_runtime.bundle import Bundle
    from edge_rec_runtime.codes import ItemTable, NeighbourTable
    from edge_rec_runtime.scoring.steps import Stepper

Found = tuple[NDArray[np.int64], NDArray[np.float32]]  # rows and their scores, best first


class Scoring(Protocol):
    """One way of scoring; a query is whatever `encode` gives and the tables take."""

    @property
    def exact(self) -> ItemTable | NeighbourTable:
        """The table whose ``scores(query)`` are the scores of the answer."""

    @property
    def backend(self) -> str:
        """What runs `encode`."""

    @classmethod
    def open(cls, bundle: Bundle, *, backend: str, threads: int) -> Self:
        """Load what scores.

        Raises:
            BackendError: No installed engine can run it.
        """

    def gather(self, rows: NDArray[np.int64], context: Mapping[str, object] | None) -> tuple[NDArray[Any], ...]:
        """Return what `encode` takes for the newest of the rows [events], each array with an axis for the batch, which is 1.

        Raises:
            RequestError: The context is not what the model takes.
        """

    def encode(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """Return the queries [batch, ...] of gathered histories.

        Raises:
            BackendError: The engine fails, or gives what is no query for these tables.
        """

    def search(self, query: NDArray[Any], k: int, allowed: NDArray[np.bool_] | None) -> Found:
        """Return the k best rows for one query and their exact scores, equal scores in row order."""

    def similar(self, row: int, k: int) -> Found:
        """Return the k rows most like a row, which is left out."""

    def explain(self, row: int, k: int, among: NDArray[np.int64]) -> Found:
        """Return the k of some ascending rows that speak most for a row, which is left out."""

    def stepper(self) -> Stepper | None:
        """Return what encodes a history as it grows, or None where it is encoded anew for each answer.

        Raises:
            BackendError: The engine cannot run the graph for it.
        """

    def close(self) -> None:
        """Let go of the engine's memory."""
