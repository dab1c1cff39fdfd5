"""A history encoded as it grows: each event costs its own work, and what came before is remembered."""

from __future__ import annotations

__all__ = ["Stepper"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime.buckets import bucket
from edge_rec_runtime.errors import BackendError
from edge_rec_runtime.state import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_runtime.backends import Graph
    from edge_rec_runtime.codes import ItemTable
    from edge_rec_runtime.state import StatePart


class Stepper:
    """Runs a step graph; it holds nothing of any history and may serve many.

    Attributes:
        max_length: Events that a memory can take in; after them the window slides and is encoded anew.
    """

    def __init__(self, graph: Graph, state: Sequence[StatePart], table: ItemTable, *, max_length: int, path: Path) -> None:
        self.max_length = max_length
        self._graph = graph
        self._state = tuple(state)
        self._table = table
        self._path = path

    def memory(self) -> Memory:
        """Return what remembers no event yet."""
        return Memory(self._state, self.max_length)

    def encode(self, memory: Memory, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Take the next events in and return the query [dims] after the last of them.

        The first events of a memory are taken in at once. Later ones come one by one, so that an engine that plans shapes has
        planned this one before.

        Args:
            memory: Of this stepper; takes the events in.
            rows: [events] of the item table, at least one, and no more than the memory has room for.

        Raises:
            BackendError: The engine fails, or gives what is no query or no state.
        """
        vectors = self._table.decode(rows)
        if not memory.events or not self._graph.plans_shapes:
            return self._run(memory, vectors[None])
        for one in vectors:
            query = self._run(memory, one[None, None])
        return query

    def close(self) -> None:
        """Let go of the engine's memory."""
        self._graph.close()

    def _run(self, memory: Memory, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        events = vectors.shape[1]
        # A state that grew by a row at every call would be a new shape for every engine; without a past, all of it is masked.
        length = bucket(max(memory.events, 1), self.max_length)
        query, *new = self._graph.run({"vectors": vectors, **memory.inputs(length)})
        found = {part.name: array for part, array in zip(self._state, new, strict=True)}
        wanted = {part.name: (1, events, part.width) if part.per_event else (1, part.width) for part in self._state}
        shapes = {name: array.shape for name, array in found.items()}
        if query.shape != (1, self._table.dims) or shapes != wanted or not np.isfinite(query).all():
            raise BackendError(
                f"{self._path}: {self._graph.backend} gave a query {list(query.shape)}, perhaps with NaN, and a state {shapes}; "
                f"expected finite [1, {self._table.dims}] and {wanted}, convert the model again"
            )
        memory.remember(found, events)
        answer: NDArray[np.float32] = query[0]
        return answer
