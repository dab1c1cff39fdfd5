"""The one object that a device uses: ids of a history in, ids of recommendations out, from one file."""

from __future__ import annotations

__all__ = ["SHORTEST_BUCKET", "Recommender", "bucket"]

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from edge_rec_runtime.backends import open_encoder
from edge_rec_runtime.bundle import Bundle
from edge_rec_runtime.errors import BackendError, RequestError
from edge_rec_runtime.neighbours import Neighbours
from edge_rec_runtime.recommendations import Recommendation, Recommendations
from edge_rec_runtime.search import best, search

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

    from edge_rec_runtime.backends import Encoder
    from edge_rec_runtime.catalogue import Catalogue

Where = Mapping[str, str | Sequence[str]]

SHORTEST_BUCKET = 8  # events; histories are padded to this or to a doubling of it, up to the model's window


def bucket(events: int, longest: int) -> int:
    """Return the length that a history of so many events is padded to."""
    return min(max(SHORTEST_BUCKET, 1 << (events - 1).bit_length()), longest)


class Recommender:
    """A bundle ready to answer.

    `recommend` composes the stages that follow it here: `lookup`, `gather`, `encode`, `allowed`, `search`, `label`. All calls may
    come from several threads; with LiteRT the encoder takes them in turn.

    Attributes:
        bundle: The open bundle.
        catalogue: Its items.
        exact: The table that feeds the encoder and gives the scores: the rescore table where the bundle has one.
    """

    def __init__(self, bundle: Bundle, encoder: Encoder) -> None:
        self.bundle = bundle
        self.catalogue: Catalogue = bundle.catalogue
        self._encoder = encoder
        self._items = bundle.table("items")
        self._rescore = bundle.table("rescore") if "rescore" in bundle.manifest.layouts else None
        self.exact = self._items if self._rescore is None else self._rescore
        self._neighbours = Neighbours(self.exact)
        self._closed = False

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
        """
        bundle = Bundle.open(path, verify=verify)
        try:
            return cls(bundle, open_encoder(bundle, backend=backend, threads=threads))
        except BaseException:
            bundle.close()
            raise

    def __enter__(self) -> Self:
        """Return the recommender."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the engine and the file; not while another thread is in a call."""
        self._closed = True
        self._encoder.close()
        self.bundle.close()

    @property
    def backend(self) -> str:
        """The backend that runs the encoder."""
        return self._encoder.backend

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
            context: For models that take more than a history; retrievers take None.
            exclude_seen: Leave out every item of the history, also those beyond the window.
            exclude: Further items to leave out; ids that the catalogue does not have exclude nothing.
            where: For each attribute a value, or several of which any will do.

        Raises:
            RequestError: k is below 1, an id is no text, a filter asks for what no item has, or a context was given.
        """
        if context is not None:
            raise RequestError(f"this model takes no context and got {sorted(context)}; leave it out")
        _check_count(k)
        rows, unknown = self.lookup(history)
        allowed = self.allowed(rows if exclude_seen else rows[:0], exclude=exclude, where=where)
        if len(rows):
            found, scores = self.search(self.encode(*self.gather(rows))[0], k, allowed)
        else:
            candidates = np.arange(len(self.catalogue)) if allowed is None else np.flatnonzero(allowed)
            found, scores = best(candidates, self._popularity(candidates), k)
        return Recommendations(self.label(found, scores), ignored=unknown, fallback=not len(rows))

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

    def score(self, history: Iterable[str], items: Iterable[str]) -> NDArray[np.float32]:
        """Return the exact score [items] float32 of given items, seen or not; popularity where nothing of the history is known.

        Raises:
            RequestError: An item is not in the catalogue.
        """
        rows, _ = self.lookup(history)
        wanted = np.array([self.catalogue.row(item) for item in _texts(items, "items")], dtype=np.int64)
        if not len(rows):
            return self._popularity(wanted)
        scores: NDArray[np.float32] = self.exact.scores(self.encode(*self.gather(rows))[0])[wanted]
        return scores

    def similar(self, item: str, k: int = 10) -> Recommendations:
        """Return the items whose vectors point most nearly where this item's does, by cosine; the item itself is left out.

        Raises:
            RequestError: The item is not in the catalogue; the message names the nearest ids and titles.
        """
        self._refuse_closed()
        _check_count(k)
        return Recommendations(self.label(*self._neighbours.nearest(self.catalogue.row(item), k)))

    def explain(self, history: Iterable[str], item: str, k: int = 3) -> Recommendations:
        """Return the items of a history that are most similar to a recommended one, by cosine; the item itself is left out.

        Raises:
            RequestError: The item is not in the catalogue.
        """
        _check_count(k)
        rows, unknown = self.lookup(history)
        return Recommendations(
            self.label(*self._neighbours.nearest(self.catalogue.row(item), k, among=np.unique(rows))), ignored=unknown
        )

    def lookup(self, history: Iterable[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return the rows [events] int64 of the known ids of a history, and the unknown ids."""
        self._refuse_closed()
        return self.catalogue.rows(_texts(history, "history"))

    def gather(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the vectors [1, length, dims] of the newest events and their mask [1, length], padded to the bucket's length."""
        window = rows[-self.bundle.manifest.max_length :]
        length = bucket(len(window), self.bundle.manifest.max_length)
        vectors = np.zeros((1, length, self.exact.dims), dtype=np.float32)
        mask = np.zeros((1, length), dtype=np.float32)
        vectors[0, : len(window)] = self.exact.decode(window)
        mask[0, : len(window)] = 1
        return vectors, mask

    def encode(self, vectors: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the queries [batch, dims] of gathered histories.

        Raises:
            BackendError: The engine fails, or gives what is no query for this table.
            RequestError: The recommender is closed.
        """
        self._refuse_closed()
        queries = self._encoder(vectors, mask)
        if queries.shape != (len(vectors), self._items.dims) or not np.isfinite(queries).all():
            raise BackendError(
                f"{self.bundle.path}: {self.backend} gave a query {list(queries.shape)}, perhaps with NaN, "
                f"for {list(vectors.shape)}; expected finite [{len(vectors)}, {self._items.dims}], convert the model again"
            )
        return queries

    def allowed(
        self, seen: NDArray[np.int64], *, exclude: Iterable[str] = (), where: Where | None = None
    ) -> NDArray[np.bool_] | None:
        """Return which rows may be recommended as [items] bool, or None for all.

        Args:
            seen: Rows to leave out.
            exclude: Ids to leave out.
            where: See `Catalogue.matching`.
        """
        excluded, _ = self.catalogue.rows(_texts(exclude, "exclude"))
        if not where and not len(seen) and not len(excluded):
            return None
        allowed = self.catalogue.matching(where) if where else np.ones(len(self.catalogue), dtype=np.bool_)
        allowed[seen] = False
        allowed[excluded] = False
        return allowed

    def search(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the k best rows for a query [dims] and their scores, rescored exactly where the bundle has a rescore table."""
        return search(self._items, query, k, rescore=self._rescore, allowed=allowed)

    def label(self, rows: NDArray[np.int64], scores: NDArray[np.float32]) -> tuple[Recommendation, ...]:
        """Return ids and scores."""
        ids = self.catalogue.ids
        return tuple(Recommendation(ids[row], score) for row, score in zip(rows.tolist(), scores.tolist(), strict=True))

    def _refuse_closed(self) -> None:
        if self._closed:
            raise RequestError(f"{self.bundle.path}: the recommender is closed; open the bundle again")

    def _popularity(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return how often rows were met in training, or zeros, and so the order of the catalogue, where nobody counted."""
        counts = self.catalogue.popularity
        return np.zeros(len(rows), dtype=np.float32) if counts is None else counts[rows].astype(np.float32)


def _check_count(k: int) -> None:
    if not isinstance(k, int | np.integer) or k < 1:
        raise RequestError(f"k is {k!r}; ask for at least 1 item, as a whole number")


def _texts(ids: Iterable[str], what: str) -> Sequence[str]:
    """Return ids as a sequence, or refuse a single text and what is none."""
    single = isinstance(ids, str) or not isinstance(ids, Iterable)
    found = () if single else tuple(ids)
    odd = [ids] if single else [one for one in found if not isinstance(one, str)]
    if odd:
        raise RequestError(
            f"{what} holds {odd[0]!r} ({type(odd[0]).__name__}); expected a list of item ids as text, like ['50', '172']"
        )
    return found
