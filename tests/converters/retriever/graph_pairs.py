"""A small SASRec in any precision, as the runtime serves it and as one graph, and the engines that run the graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import torch
from ai_edge_litert.interpreter import Interpreter

from edge_rec.models.sasrec import SASRec, SASRecOptions
from edge_rec_converters import prepare
from edge_rec_converters.kinds.protocol import Order
from edge_rec_converters.networks import Ingredients, network_graph
from edge_rec_converters.plan import Plan
from edge_rec_converters.retriever import retriever_graph
from edge_rec_converters.targets import emitter
from edge_rec_runtime import Catalogue, History, Precision, Recommender, write_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_converters import Retriever
    from edge_rec_converters.kinds.retriever import PreparedRetriever

TARGETS = ("onnx", "tflite")
LONGEST, DIMS = 12, 24
_REAL = 1e-5  # of the largest score: what sums in another order may differ by


def source(*, items: int = 300, bias: bool = False, seed: int = 0) -> Retriever:
    """Return a SASRec with random weights and items of uneven norms."""
    rng = np.random.default_rng(seed)
    popularity = rng.integers(1, 40, items).astype(np.uint32)
    catalogue = Catalogue(tuple(f"i{row}" for row in range(items)), popularity=popularity)
    model = SASRec(SASRecOptions(dims=DIMS, feed_forward=48, max_length=LONGEST), catalogue, seed=seed)
    with torch.no_grad():
        for values in model.encoder.parameters():  # larger than they start, so that events and their order count
            values.mul_(8 if values.ndim > 1 else 1)
        table = rng.normal(size=(items, DIMS)) * rng.lognormal(0, 0.3, (items, 1))
        table[7] = table[5]  # equal items have equal scores
        model.table.copy_(torch.from_numpy(table.astype(np.float32)))
    return replace(model.source(), item_bias=rng.normal(size=items).astype(np.float32) if bias else None)


def prepared(made: Retriever) -> PreparedRetriever:
    """Return a source with its answers on a few drawn histories."""
    rng, items = np.random.default_rng(1), len(made.catalogue)
    drawn = [rng.permutation(items)[: rng.integers(2, 20)] for _ in range(30)]
    histories = [History(tuple(f"i{row}" for row in rows[:-1]), target=f"i{rows[-1]}") for rows in drawn]
    found: Any = prepare(made, histories)
    return found  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Pair:
    """One model twice: a bundle that the runtime opens, and a graph."""

    recommender: Recommender
    engine: Engine
    k: int

    def differences(self, histories: NDArray[np.int32]) -> list[str]:
        """Return a sentence for each row of a batch that the graph answers otherwise than the runtime."""
        items, scores = self.engine(histories)
        return [
            said
            for row, history in enumerate(histories)
            if (said := self._difference(history, items[row], scores[row])) is not None
        ]

    def _difference(self, history: NDArray[np.int32], items: NDArray[np.int32], scores: NDArray[np.float32]) -> str | None:
        known = [row for row in history.tolist() if 0 <= row < len(self.recommender.catalogue)]
        wanted = self.recommender.recommend([f"i{row}" for row in known], k=self.k)
        rows = np.array([int(one.id[1:]) for one in wanted], np.int64)
        exact = np.array([one.score for one in wanted], np.float32)
        left = len(rows)
        if (items[left:] != -1).any() or not np.isneginf(scores[left:]).all():
            return f"{history}: {left} items are left, and the graph goes on with {items[left:]} {scores[left:]}"
        off = np.abs(scores[:left] - exact).max(initial=0)
        slack = _REAL * np.abs(exact).max(initial=1)
        if off > slack:
            return f"{history}: scores are off by {off}"
        if len(set(items[:left].tolist())) < left:
            return f"{history}: an item stands twice in {items}"
        last = exact[-1] if left == self.k else -np.inf  # behind a full answer others may score like its last
        for place in np.flatnonzero(items[:left] != rows):  # only what scores alike may have changed places
            alike = rows[np.abs(exact - exact[place]) <= slack]
            if items[place] not in alike and exact[place] > last + slack:
                return f"{history}: item {items[place]} stands at {place} where {rows[place]} has to"
        return None


class Engine:
    """A retriever graph in the engine of its target."""

    def __init__(self, target: str, data: bytes) -> None:
        self.target = target
        if target == "onnx":
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.log_severity_level = 1, 3
            self._session = onnxruntime.InferenceSession(data, options)
        else:
            self._runner = Interpreter(model_content=data, num_threads=1).get_signature_runner()

    def __call__(self, history: NDArray[np.int32], **context: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return items and scores."""
        if self.target == "onnx":
            items, scores = self._session.run(["items", "scores"], {"history": history, **context})
            return items, scores
        found = self._runner(history=history, **context)
        return found["items"], found["scores"]


def pair(made: PreparedRetriever, folder: Path, *, target: str, precision: str, k: int = 20) -> Pair:
    """Convert a source to a bundle and to a graph."""
    asked = Precision.parse(precision)
    (draft,) = made.drafts(Order(target=target, precision=asked))
    path = folder / f"{target}-{asked.slug}-{k}.edgerec"
    write_bundle(path, draft)
    ingredients = Ingredients(graph=made.graph, plan=Plan.of(layers={}, float_weights=made.source.float_weights), feeds=[])
    graph = retriever_graph(
        network_graph(target, asked.network, ingredients),
        table=draft.tables["items"],
        rescore=draft.tables.get("rescore"),
        popularity=made.source.catalogue.popularity,
        max_length=LONGEST,
        k=k,
    )
    return Pair(Recommender.open(path), Engine(target, emitter(target)(graph)), min(k, len(made.source.catalogue)))


def batch(*histories: Sequence[int]) -> NDArray[np.int32]:
    """Return histories side by side, padded with -1."""
    rows = np.full((len(histories), max(map(len, histories))), -1, np.int32)
    for row, history in enumerate(histories):
        rows[row, : len(history)] = history
    return rows
