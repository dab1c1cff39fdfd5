"""Candidates in, the same candidates best first: a graph scores each from its features and those of the request."""

from __future__ import annotations

__all__ = ["Ranker"]

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from edge_rec_runtime._opened import Opened
from edge_rec_runtime._requests import check_count, encode_context, texts, unknown_words
from edge_rec_runtime.backends import open_graph
from edge_rec_runtime.buckets import LARGEST_BATCH, batch_bucket, pad_words
from edge_rec_runtime.bundle import Bundle
from edge_rec_runtime.errors import BackendError, BundleError, RequestError
from edge_rec_runtime.recommendations import Recommendation, Recommendations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_runtime.backends import Graph
    from edge_rec_runtime.features import Feature


class Ranker(Opened):
    """A bundle of the kind ``ranker`` ready to answer; all calls may come from several threads.

    `rank` composes the stages that follow it here: `lookup`, `gather`, `run`, `order`.

    Attributes:
        bundle: The open bundle.
        catalogue: Its items.
        features: What the graph takes, in the order of its inputs.
    """

    def __init__(self, bundle: Bundle, graph: Graph) -> None:
        super().__init__(bundle, graph)
        self._item_values = bundle.item_values()
        self._graph = graph

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
            RequestError: It holds no ranker.
        """
        bundle = Bundle.open(path, verify=verify)
        if bundle.manifest.kind != "ranker":
            bundle.close()
            raise RequestError(
                f"{path}: a bundle of the kind {bundle.manifest.kind!r} ranks no candidates; "
                "open it with Recommender.open, or use: edge-rec recommend"
            )
        try:
            return cls(bundle, open_graph(bundle, backend=backend, threads=threads))
        except BaseException:
            bundle.close()
            raise

    def rank(
        self, candidates: Iterable[str], context: Mapping[str, object] | None = None, *, k: int | None = None
    ) -> Recommendations:
        """Put candidates in order, best first.

        Args:
            candidates: Item ids, each ranked once; ids that the catalogue does not have are ignored, and listed in the result.
            context: A raw value for each feature of the context; a word that its feature does not know counts as absent, and is
                listed as ``name=word``.
            k: At most so many; all unless given.

        Returns:
            The candidates with the sigmoid of their logit; of equal logits the candidate that was given first stands first.

        Raises:
            RequestError: k is below 1, an id is no text, or the context is not what the model takes.
            BackendError: The engine fails, or gives what is no score.
        """
        self.refuse_closed()
        if k is not None:
            check_count(k)
        rows, unknown = self.lookup(candidates, context)
        if not len(rows):
            return Recommendations((), ignored=unknown)
        return Recommendations(self.order(rows, self.run(self.gather(rows, context)), k), ignored=unknown)

    def lookup(
        self, candidates: Iterable[str], context: Mapping[str, object] | None = None
    ) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return the rows [candidates] int64 of the known ids, each once, and what is unknown of ids and context.

        Raises:
            RequestError: An id is no text, or the context is not what the model takes.
        """
        self.refuse_closed()
        rows, unknown = self.catalogue.rows(dict.fromkeys(texts(candidates, "candidates")))
        return rows, unknown + unknown_words(self.features, context)

    def gather(self, rows: NDArray[np.int64], context: Mapping[str, object] | None = None) -> dict[str, NDArray[Any]]:
        """Return what `run` takes: for each feature its values [rows, ...], those of the request repeated.

        Raises:
            RequestError: The context is not what the model takes.
            BundleError: The values of items are damaged.
        """
        request = encode_context(self.features, context)
        return {
            one.name: self._of_items(one, rows) if one.of == "item" else np.repeat(request[one.name], len(rows), axis=0)
            for one in self.features
        }

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Return the logits [rows] float32 of gathered rows.

        `LARGEST_BATCH` rows go through the engine at a time, in few shapes where it plans for each. What comes from elsewhere
        than `gather` is for `logits`, which checks it.

        Raises:
            BackendError: The engine fails, or gives what is no score.
            RequestError: The ranker is closed.
        """
        self.refuse_closed()
        rows = len(inputs[self.features[0].name])
        logits = np.empty(rows, dtype=np.float32)
        for start in range(0, rows, LARGEST_BATCH):
            size = min(LARGEST_BATCH, rows - start)
            batch = batch_bucket(size) if self._graph.plans_shapes else size
            part = {one.name: _batch(one, inputs[one.name][start : start + size], batch) for one in self.features}
            found = self._graph(part)
            if found.shape != (batch,) or found.dtype != np.float32 or not np.isfinite(found[:size]).all():
                raise BackendError(
                    f"{self.bundle.path}: {self.backend} gave logits {list(found.shape)} {found.dtype}, perhaps with NaN, "
                    f"for {batch} rows; expected finite [{batch}] float32, convert the model again"
                )
            logits[start : start + size] = found[:size]
        return logits

    def order(self, rows: NDArray[np.int64], logits: NDArray[np.float32], k: int | None = None) -> tuple[Recommendation, ...]:
        """Return the ids of rows, best first, with the sigmoid of their logit; at most k."""
        order = np.argsort(-logits, kind="stable")[:k]
        ids, scores = self.catalogue.ids, _sigmoid(logits[order])
        return tuple(Recommendation(ids[row], score) for row, score in zip(rows[order].tolist(), scores.tolist(), strict=True))

    def logits(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Return the logits [rows] float32 of encoded rows.

        Args:
            inputs: For every feature, of items and of the context, an array as `Feature.encode` gives it.

        Raises:
            RequestError: A feature is missing, surplus, or its array is not what the feature encodes to.
            BackendError: The engine fails, or gives what is no score.
        """
        self.refuse_closed()
        names = [feature.name for feature in self.features]
        if set(inputs) != set(names):
            raise RequestError(f"there are inputs for {', '.join(inputs) or 'nothing'}; this ranker needs {', '.join(names)}")
        rows = len(inputs[names[0]])
        for feature in self.features:
            fault = feature.misfit(inputs[feature.name], rows=rows)
            if fault:
                raise RequestError(f"the input {feature.name!r}: {fault}")
        return self.run(inputs)

    def _of_items(self, feature: Feature, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return the values of items for a feature; they come from the file, so they are checked."""
        stored = self._item_values[feature.name][rows]
        values = stored if feature.kind == "number" else stored.astype(np.int32)
        fault = feature.misfit(values, rows=len(rows))
        if fault:
            raise BundleError(
                f"{self.bundle.path}: the values of {feature.name!r}: {fault}; the bundle is damaged, convert it again"
            )
        return values


def _batch(feature: Feature, values: NDArray[Any], batch: int) -> NDArray[Any]:
    """Return values [rows, ...] as the graph takes them: lists padded to their bucket, the last row repeated to the batch."""
    whole = pad_words(values, feature.longest) if feature.kind == "categories" else values
    if len(whole) < batch:
        whole = np.concatenate([whole, np.repeat(whole[-1:], batch - len(whole), axis=0)])
    return np.ascontiguousarray(whole)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x)) without overflow."""
    small: NDArray[np.float64] = np.exp(-np.abs(logits.astype(np.float64)))
    return np.where(logits >= 0, 1 / (1 + small), small / (1 + small))
