"""A history that grows while it is asked: one new event, ten new recommendations, without encoding the history again."""

from __future__ import annotations

__all__ = ["Session"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_runtime._requests import check_count
from edge_rec_runtime.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from edge_rec_runtime.recommendations import Recommendations
    from edge_rec_runtime.recommender import Recommender, Where
    from edge_rec_runtime.scoring.steps import Stepper


class Session:
    """One user's history and what the encoder remembers of it; made by `Recommender.session`.

    It answers as `Recommender.recommend` does for the same history. Where the bundle was converted with ``--incremental``, an
    event costs its own work; elsewhere, and once the history is longer than the model's window, which then slides, the window
    is encoded anew. A session belongs to one thread at a time.
    """

    def __init__(
        self,
        recommender: Recommender,
        stepper: Stepper | None,
        *,
        context: Mapping[str, object] | None,
        ignored: tuple[str, ...] = (),
    ) -> None:
        self._recommender = recommender
        self._stepper = stepper
        self._context = context
        self._memory = stepper.memory() if stepper else None
        self._rows = np.empty(64, dtype=np.int64)
        self._events = 0
        self._unknown: list[str] = []
        self._ignored = ignored
        self._query: NDArray[Any] | None = None

    def __len__(self) -> int:
        """Return the number of known events."""
        return self._events

    @property
    def incremental(self) -> bool:
        """Whether the next event will cost its own work only."""
        return self._stepper is not None and self._memory is not None and self._events < self._stepper.max_length

    @property
    def rows(self) -> NDArray[np.int64]:
        """The rows [events] of the known events, oldest first; a view that the next event may leave behind."""
        return self._rows[: self._events]

    def add(self, *items: str) -> None:
        """Add what happened now, oldest first. Ids that the catalogue does not have are listed by the next answers.

        Raises:
            RequestError: An item is no text.
        """
        rows, unknown = self._recommender.lookup(items)
        self._unknown += unknown
        if not len(rows):
            return
        last = self._events + len(rows)
        if last > len(self._rows):
            self._rows = np.concatenate([self.rows, np.empty(max(last, 2 * self._events) - self._events, dtype=np.int64)])
        self._rows[self._events : last] = rows
        self._events, self._query = last, None

    def recommend(
        self, k: int = 10, *, exclude_seen: bool = True, exclude: Iterable[str] = (), where: Where | None = None
    ) -> Recommendations:
        """Recommend what comes after the history so far; see `Recommender.recommend` for the arguments.

        Raises:
            RequestError: As there.
        """
        check_count(k)
        return self._recommender.answer(
            self.rows,
            self.query,
            k=k,
            exclude_seen=exclude_seen,
            exclude=exclude,
            where=where,
            ignored=(*self._unknown, *self._ignored),
        )

    def query(self) -> NDArray[Any]:
        """Return the query [dims] after the last event, as `Recommender.encode` gives it.

        Raises:
            RequestError: There is no event yet.
            BackendError: The engine fails, or gives what is no query or no state.
        """
        self._recommender.refuse_closed()
        if not self._events:
            raise RequestError("the session has no known event yet, so there is nothing to encode; add one first")
        if self._query is None:
            self._query = self._next_query()
        return self._query

    def _next_query(self) -> NDArray[Any]:
        if self._stepper is None or self._memory is None or self._events > self._stepper.max_length:
            self._memory = None  # the window slides from here on
            query: NDArray[Any] = self._recommender.encode(*self._recommender.gather(self.rows, self._context))[0]
            return query
        return self._stepper.encode(self._memory, self.rows[self._memory.events :])
