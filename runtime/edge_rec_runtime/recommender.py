"""The one object that a device uses: ids of a history in, ids of recommendations out, from one file."""

from __future__ import annotations

__all__ = ["Recommender"]

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from edge_rec_runtime._opened import Opened
from edge_rec_runtime._requests import check_count, texts, unknown_words
from edge_rec_runtime.bundle import Bundle
from edge_rec_runtime.recommendations import Recommendation, Recommendations
from edge_rec_runtime.scoring import open_scoring
from edge_rec_runtime.search import best, finite_scores
from edge_rec_runtime.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_runtime.codes import ItemTable, NeighbourTable
    from edge_rec_runtime.scoring import Scoring

Where = Mapping[str, str | Sequence[str]]


class Recommender(Opened):
    """A bundle ready to answer.

    `recommend` composes the stages that follow it here: `lookup`, `gather`, `encode`, `allowed`, `search`, `label`. What three of
    them do is the bundle's kind's to say (`edge_rec_runtime.scoring`). All calls may come from several threads; with LiteRT the
    encoder takes them in turn.

    Attributes:
        bundle: The open bundle.
        catalogue: Its items.
        features: What the model takes of a request's context, besides the history.
    """

    def __init__(self, bundle: Bundle, scoring: Scoring) -> None:
        super().__init__(bundle, scoring)
        self._scoring = scoring

    @classmethod
    def open(
        cls, path: Path | str, *, backend: str = "auto", threads: int = 1, verify: Literal["structure", "full"] = "structure"
    ) -> Self:
        """Open a bundle with an engine.

        Args:
            path: The file.
            backend: ``auto``, ``onnxruntime``, ``litert`` or ``tflite-runtime``.
            threads: Threads that the engine may use.
            verify: ``full`` hashes every member first, as is due when a bundle was received.

        Raises:
            BundleError: The file is damaged, hostile or of a newer version.
            BackendError: No installed engine can run it.
            RequestError: It holds a ranker, which recommends nothing.
        """
        bundle = Bundle.open(path, verify=verify)
        try:
            return cls(bundle, open_scoring(bundle, backend=backend, threads=threads))
        except BaseException:
            bundle.close()
            raise

    @property
    def exact(self) -> ItemTable | NeighbourTable:
        """The table that gives the scores: of a retriever the rescore table, where the bundle has one."""
        return self._scoring.exact

    def recommend(
        self,
        history: Iterable[str],
        *,
        k: int = 10,
        context: Mapping[str, object] | None = None,
        exclude_seen: bool = True,
        exclude: Iterable[str] = (),
        where: Where | None = None,
    ) -> Recommendations:
        """Recommend what comes after a history.

        Args:
            history: Item ids, oldest first. Ids that the catalogue does not have are ignored, and listed in the result; of a
                history beyond the model's window the newest events count. Where none is known, popularity answers.
            k: At most so many items; fewer where fewer are left.
            context: For models that take more than a history, a value for each of `features`; a word that its feature does not
                know counts as absent, and is listed as ``name=word``.
            exclude_seen: Leave out every item of the history, also those beyond the window.
            exclude: Further items to leave out; ids that the catalogue does not have exclude nothing.
            where: For each attribute a value, or several of which any will do.

        Raises:
            RequestError: k is below 1, an id is no text, a filter asks for what no item has, or the context is not what the model
                takes.
        """
        check_count(k)
        unknown_context = unknown_words(self.features, context)
        rows, unknown = self.lookup(history)
        return self.answer(
            rows,
            lambda: self.encode(*self.gather(rows, context))[0],
            k=k,
            exclude_seen=exclude_seen,
            exclude=exclude,
            where=where,
            ignored=unknown + unknown_context,
        )

    def session(self, history: Iterable[str] = (), *, context: Mapping[str, object] | None = None) -> Session:
        """Return a history that grows: ``session.add(item)``, then ``session.recommend()``.

        Where the bundle was converted with ``--incremental`` a new event costs a fraction of a request; the answers are those of
        `recommend` in any case.

        Args:
            history: Item ids to start with, oldest first.
            context: As for `recommend`, for as long as the session lasts.

        Raises:
            RequestError: An id is no text, or the context is not what the model takes.
            BackendError: The engine cannot run the bundle's graph for this.
        """
        self.refuse_closed()
        unknown = unknown_words(self.features, context)
        session = Session(self, self._scoring.stepper(), context=context, ignored=unknown)
        session.add(*texts(history, "history"))
        return session

    def recommend_batch(
        self,
        histories: Iterable[Iterable[str]],
        *,
        k: int = 10,
        context: Mapping[str, object] | None = None,
        exclude_seen: bool = True,
        exclude: Iterable[str] = (),
        where: Where | None = None,
    ) -> list[Recommendations]:
        """Recommend for several histories; each gets what `recommend` gives it, to the bit. See there for the arguments."""
        excluded = tuple(exclude)
        return [
            self.recommend(history, k=k, context=context, exclude_seen=exclude_seen, exclude=excluded, where=where)
            for history in histories
        ]

    def score(
        self, history: Iterable[str], items: Iterable[str], *, context: Mapping[str, object] | None = None
    ) -> NDArray[np.float32]:
        """Return the exact score [items] float32 of given items, seen or not; popularity where nothing of the history is known.

        Raises:
            RequestError: An item is not in the catalogue, or the context is not what the model takes.
        """
        unknown_words(self.features, context)
        rows, _ = self.lookup(history)
        wanted = np.array([self.catalogue.row(item) for item in texts(items, "items")], dtype=np.int64)
        if not len(rows):
            return self._popularity(wanted)
        scores: NDArray[np.float32] = finite_scores(self.exact, self.encode(*self.gather(rows, context))[0])[wanted]
        return scores

    def similar(self, item: str, k: int = 10) -> Recommendations:
        """Return the items most like an item, which is left out.

        Of a retriever they are those whose vectors point most nearly where the item's does, by cosine; of a table of neighbours
        those with the largest weights above 0 in the item's row.

        Raises:
            RequestError: The item is not in the catalogue; the message names the nearest ids and titles.
        """
        self.refuse_closed()
        check_count(k)
        return Recommendations(self.label(*self._scoring.similar(self.catalogue.row(item), k)))

    def explain(self, history: Iterable[str], item: str, k: int = 3) -> Recommendations:
        """Return the items of a history that speak most for a recommended one, which is left out.

        Of a retriever they are the most similar by cosine; of a table of neighbours those with the largest weights above
        0 for it.

        Raises:
            RequestError: The item is not in the catalogue.
        """
        check_count(k)
        rows, unknown = self.lookup(history)
        return Recommendations(self.label(*self._scoring.explain(self.catalogue.row(item), k, np.unique(rows))), ignored=unknown)

    def lookup(self, history: Iterable[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return the rows [events] int64 of the known ids of a history, and the unknown ids."""
        self.refuse_closed()
        return self.catalogue.rows(texts(history, "history"))

    def gather(self, rows: NDArray[np.int64], context: Mapping[str, object] | None = None) -> tuple[NDArray[Any], ...]:
        """Return what `encode` takes for the newest events, each array with an axis for the batch, which is 1.

        Of a retriever these are the vectors [1, length, dims] and their mask [1, length], padded to the bucket's length, then the
        features of the context; of a table of neighbours the distinct rows [1, n].
        """
        return self._scoring.gather(rows, context)

    def encode(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """Return the queries [batch, dims] of gathered histories; of a table of neighbours the rows themselves.

        Raises:
            BackendError: The engine fails, or gives what is no query for this table.
            RequestError: The recommender is closed.
        """
        self.refuse_closed()
        return self._scoring.encode(*inputs)

    def allowed(
        self, seen: NDArray[np.int64], *, exclude: Iterable[str] = (), where: Where | None = None
    ) -> NDArray[np.bool_] | None:
        """Return which rows may be recommended as [items] bool, or None for all.

        Args:
            seen: Rows to leave out.
            exclude: Ids to leave out.
            where: See `Catalogue.matching`.
        """
        excluded, _ = self.catalogue.rows(texts(exclude, "exclude"))
        if not where and not len(seen) and not len(excluded):
            return None
        allowed = self.catalogue.matching(where) if where else np.ones(len(self.catalogue), dtype=np.bool_)
        allowed[seen] = False
        allowed[excluded] = False
        return allowed

    def search(
        self, query: NDArray[Any], k: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the k best rows for a query and their scores, rescored exactly where the bundle has a rescore table."""
        return self._scoring.search(query, k, allowed)

    def label(self, rows: NDArray[np.int64], scores: NDArray[np.float32]) -> tuple[Recommendation, ...]:
        """Return ids and scores."""
        ids = map(self.catalogue.ids.__getitem__, rows.tolist())
        return tuple(map(Recommendation, ids, scores.tolist()))

    def answer(
        self,
        rows: NDArray[np.int64],
        encode: Callable[[], NDArray[Any]],
        *,
        k: int,
        exclude_seen: bool,
        exclude: Iterable[str],
        where: Where | None,
        ignored: tuple[str, ...],
    ) -> Recommendations:
        """Answer for the rows of a history, whose query ``encode`` returns once the filters are known to be right."""
        self.refuse_closed()
        allowed = self.allowed(rows if exclude_seen else rows[:0], exclude=exclude, where=where)
        if len(rows):
            found, scores = self.search(encode(), k, allowed)
        else:
            candidates = np.arange(len(self.catalogue)) if allowed is None else np.flatnonzero(allowed)
            found, scores = best(candidates, self._popularity(candidates), k)
        return Recommendations(self.label(found, scores), ignored=ignored, fallback=not len(rows))

    def _popularity(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return how often rows were met in training, or zeros, and so the order of the catalogue, where nobody counted."""
        counts = self.catalogue.popularity
        return np.zeros(len(rows), dtype=np.float32) if counts is None else counts[rows].astype(np.float32)
