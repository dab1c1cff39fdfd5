"""A trained model's item vectors and real queries, put into a file that the peers' environment can read."""

from __future__ import annotations

__all__ = ["write_trained"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec.data import load
from edge_rec.models import load_run
from edge_rec.training import Request, train_run
from edge_rec_converters import prepare
from edge_rec_converters.kinds.retriever import PreparedRetriever
from edge_rec_runtime import read_histories
from edge_rec_runtime.atomic import replace_file
from scanning.data import QUERIES

if TYPE_CHECKING:
    from pathlib import Path


def write_trained(run: Path, path: Path, *, data: Path) -> None:
    """Write an ``.npz`` with ``items`` [items, dims] and ``queries`` [queries, dims] float32.

    Args:
        run: Run directory of a SASRec on MovieLens-1M; it is trained where it is missing.
        path: The file.
        data: Where data sets are kept.
    """
    if not (run / "config.json").exists():
        train_run(load("ml-1m", data), run, request=Request(model="sasrec", seed=0), resume=True)
    prepared = prepare(load_run(run).source(), read_histories(run / "heldout" / "test.jsonl")[:QUERIES])
    if not isinstance(prepared, PreparedRetriever):
        raise TypeError(f"{run} holds a model of kind {prepared.source.kind}; a retriever is needed")
    items, queries = (np.ascontiguousarray(one, np.float32) for one in (prepared.source.item_table, prepared.test.queries))
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda stream: np.savez(stream, items=items, queries=queries))
