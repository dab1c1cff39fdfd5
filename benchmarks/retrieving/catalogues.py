"""A trained SASRec over catalogues of any size: its own items first, so that real histories can be asked, then drawn ones."""

from __future__ import annotations

__all__ = ["LENGTH", "Problem", "problem"]

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scanning.data import resampled

from edge_rec.data import load
from edge_rec.models import load_run
from edge_rec.training import Request, train_run
from edge_rec_converters import prepare
from edge_rec_converters.kinds.retriever import PreparedRetriever
from edge_rec_runtime import Catalogue, History, read_histories
from edge_rec_runtime.search import best

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from retrieving.cases import Model

DATASET, LENGTH, K = "ml-100k", 50, 100
_HISTORIES = 64
_BLOCK = 100_000  # rows drawn at a time


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A model, what it is asked, and what it answers in fp32.

    Attributes:
        prepared: The model, ready to be converted.
        histories: [histories, LENGTH] int32 rows, oldest first, padded with -1.
        answers: [histories, K] the rows of the exact answers, best first.
    """

    prepared: PreparedRetriever
    histories: NDArray[np.int32]
    answers: NDArray[np.int64]


def problem(rows: int, kind: str, model: Model, *, runs: Path, data: Path) -> Problem:
    """Return a problem, the same for the same sizes.

    Args:
        rows: Items.
        kind: ``trained``, rows drawn as the trained ones lie, or ``gaussian``, independent values as large as those.
        model: What it is asked of.
        runs: The folder of runs.
        data: Where data sets are kept.
    """
    run = runs / model.run
    if not (run / "config.json").exists():
        train_run(load(DATASET, data), run, request=Request(model="sasrec", shape=model.shape), resume=True)
    source = load_run(run).source()
    own = len(source.catalogue)
    given = [one for one in read_histories(run / "heldout" / "test.jsonl") if len(one.events) > LENGTH]
    asked = [History(one.events[-LENGTH:], target=one.target) for one in given[:_HISTORIES]]
    grown = replace(
        source,
        item_table=_table(np.asarray(source.item_table, np.float32), rows, kind),
        item_bias=None,
        catalogue=Catalogue(
            (*source.catalogue.ids, *(f"drawn-{row}" for row in range(own, rows))),
            popularity=np.pad(_popularity(source.catalogue), (0, rows - own)),
        ),
    )
    prepared = prepare(grown, asked)
    if not isinstance(prepared, PreparedRetriever):
        raise TypeError(f"{run} holds a model of kind {prepared.source.kind}; a retriever is needed")
    users = prepared.test.users
    histories = np.full((len(users), LENGTH), -1, np.int32)
    answers = np.empty((len(users), K), np.int64)
    for user, seen in enumerate(users.seen):
        histories[user, : len(seen)] = seen
        scores = np.asarray(grown.item_table) @ prepared.test.queries[user]
        scores[seen] = -np.inf
        answers[user], _ = best(np.arange(rows), scores, K)
    return Problem(prepared=prepared, histories=histories, answers=answers)


def _table(trained: NDArray[np.float32], rows: int, kind: str) -> NDArray[np.float32]:
    values = np.empty((rows, trained.shape[1]), np.float32)
    for start in range(0, rows, _BLOCK):
        rng, part = np.random.default_rng((4, start)), values[start : start + _BLOCK]
        part[:] = (
            resampled(trained, len(part), rng)
            if kind == "trained"
            else trained.std() * rng.standard_normal(part.shape, dtype=np.float32)
        )
    if kind == "trained":
        values[: len(trained)] = trained
    return values


def _popularity(catalogue: Catalogue) -> NDArray[Any]:
    return np.zeros(len(catalogue), np.uint32) if catalogue.popularity is None else np.asarray(catalogue.popularity)
