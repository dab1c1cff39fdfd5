"""A whole retriever as one graph: rows of a history in, the best items and their scores out.

For apps that have an engine and not our runtime. It holds the look-up, the encoder, the item table, the mask of what was seen and
top-k; its answers are the runtime's.
"""

from __future__ import annotations

__all__ = ["HISTORY", "ITEMS", "SCORES", "retriever_graph"]

from typing import TYPE_CHECKING, Any

import onnx_ir as ir

from edge_rec_converters.dialect import STORED_SHAPE, declare
from edge_rec_converters.edit import drop_unused_constants
from edge_rec_converters.retriever.answers import answers
from edge_rec_converters.retriever.events import events
from edge_rec_converters.retriever.lookup import vectors
from edge_rec_converters.retriever.search import search, tables
from edge_rec_converters.retriever.sketch import Sketch
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_runtime import ItemTable

HISTORY, ITEMS, SCORES = "history", "items", "scores"


def retriever_graph(
    encoder: ir.Model,
    *,
    table: ItemTable,
    rescore: ItemTable | None,
    popularity: NDArray[Any] | None,
    max_length: int,
    k: int,
) -> ir.Model:
    """Put an encoder and its item table together in one graph.

    The graph takes ``history`` [batch, length] int32, rows of the catalogue, oldest first; what lies outside of [0, items) is
    no event. It gives ``items`` [batch, K] int32 and ``scores`` [batch, K] float32, best first, where K is k or the number of
    items. Items of the history are left out; where fewer than K are left the item is -1 and the score minus infinity.
    A history without an event is answered by popularity. Batch and length are at least 1; no events are one entry that is none.

    Args:
        encoder: ``vectors, mask, *context -> query`` in its precision; left as it was. The context becomes inputs of the graph.
        table: The items.
        rescore: Scores the best candidates again, and feeds the encoder.
        popularity: [items], how often each was met in training; None for the order of the catalogue.
        max_length: Most events that the encoder takes.
        k: Most items that are ever asked for.

    Raises:
        ConversionError: k is below 1, the layout of a table has no form in a graph, or an input of the encoder has a name that
            is taken.
    """
    if k < 1:
        raise ConversionError(f"k is {k}; a retriever graph answers at least one item")
    model = encoder.clone()
    graph, sketch = model.graph, Sketch(model.graph)
    given = {str(value.name): value for value in graph.inputs}
    context = [value for name, value in given.items() if name not in {"vectors", "mask"}]
    _free_names(graph, context)
    history = ir.Value(name=HISTORY, shape=ir.Shape(["batch", "length"]), type=ir.TensorType(ir.DataType.INT32))
    history.metadata_props[STORED_SHAPE] = f"1,{max_length}"
    held = tables(sketch, table, rescore, k=k)
    found = events(sketch, history, items=held.items, max_length=max_length)
    given["vectors"].replace_all_uses_with(vectors(sketch, held.fed, found))
    given["mask"].replace_all_uses_with(found.mask)
    graph.insert_before(graph[0], sketch.taken())

    values, rows = search(sketch, held, graph.outputs[0], found)
    results = answers(sketch, values, rows, empty=found.empty, popularity=popularity, items=held.items, k=held.k)
    graph.extend(sketch.taken())

    graph.inputs[:] = [history, *context]
    graph.outputs[:] = [
        _named(value, name, dtype, held.k)
        for value, name, dtype in zip(results, (ITEMS, SCORES), (ir.DataType.INT32, ir.DataType.FLOAT), strict=True)
    ]
    drop_unused_constants(graph)
    return declare(model)


def _free_names(graph: ir.Graph, context: list[ir.Value]) -> None:
    """Rename constants of the encoder that are called as an input or output of the whole graph is."""
    taken = {HISTORY, ITEMS, SCORES}
    if clash := [value.name for value in context if value.name in taken]:
        raise ConversionError(
            f"the encoder has an input {clash[0]!r}, and that is what the retriever graph's own is called; rename the feature"
        )
    for name in taken & graph.initializers.keys():
        graph.initializers[name].name = f"encoder.{name}"


def _named(value: ir.Value, name: str, dtype: ir.DataType, k: int) -> ir.Value:
    value.name, value.shape, value.type = name, ir.Shape(["batch", k]), ir.TensorType(dtype)
    return value
