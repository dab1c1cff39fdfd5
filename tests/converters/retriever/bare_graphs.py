"""Retriever graphs around an encoder that adds up what it is given: its query is exact where the vectors are whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir

from edge_rec_converters.retriever import retriever_graph
from edge_rec_converters.targets import emitter
from edge_rec_runtime.search import search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_rec_runtime import ItemTable

LONGEST = 8


def encoder(dims: int, *, context: str = "", scale: str = "", masked: bool = True) -> ir.Model:
    """Return ``vectors, mask, *context -> query``; an input ``scale`` [batch] multiplies the query.

    One that is not ``masked`` counts on zeros behind the events, as the runtime gives them.
    """
    times = f"across = Unsqueeze({scale}, one)  query = Mul(total, across)" if scale else "query = Identity(total)"
    return ir.from_onnx_text(
        f"""<ir_version: 10, opset_import: ["": 20]>
        g (float[batch,length,{dims}] vectors, float[batch,length] mask{context}) => (float[batch,{dims}] query)
        <int64[1] one = {{1}}, int64[1] two = {{2}}> {{
            column = Unsqueeze(mask, two)
            events = {"Mul(vectors, column)" if masked else "Identity(vectors)"}
            total = ReduceSum<keepdims=0>(events, one)
            {times}
        }}"""
    )


def graph(table: ItemTable, *, rescore: ItemTable | None = None, k: int = 10, around: ir.Model | None = None) -> ir.Model:
    """Return the graph of a table."""
    return retriever_graph(
        encoder(table.dims) if around is None else around,
        table=table,
        rescore=rescore,
        popularity=np.arange(table.rows)[::-1] // 3,
        max_length=LONGEST,
        k=k,
    )


def emitted(target: str, table: ItemTable, **options: Any) -> bytes:  # noqa: ANN401 - those of `graph`
    """Return the file of a table's graph."""
    return emitter(target)(graph(table, **options))


def wanted(
    table: ItemTable, history: Sequence[int], *, rescore: ItemTable | None = None, k: int = 10
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows and scores that the runtime finds after a history with an event, as many as are left."""
    known = np.array([row for row in history if 0 <= row < table.rows])
    query = (rescore or table).decode(known[-LONGEST:]).sum(axis=0, dtype=np.float32)
    allowed = np.ones(table.rows, np.bool_)
    allowed[known] = False
    return search(table, query, min(k, table.rows), rescore=rescore, allowed=allowed)
