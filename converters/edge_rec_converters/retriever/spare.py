"""A batch of zero, and histories of length zero, for an engine that fails on them.

ONNX Runtime divides by the number of rows in some operators, and where that is zero an older one ends the whole process. So
inside the graph a batch is never empty: a spare row, or column, of -1 stands in, and what it gave is cut off at the end.
"""

from __future__ import annotations

__all__ = ["never_empty"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.retriever.sketch import Sketch

if TYPE_CHECKING:
    import onnx_ir as ir


def never_empty(model: ir.Model) -> ir.Model:
    """Return a retriever graph that takes a history [batch, length] of any size, also none.

    A length of zero is a history without events; a batch of zero gives [0, K]. For engines that plan shapes ahead it would cost
    more than it saves: there the size of every tensor would follow from values.

    Args:
        model: What `retriever_graph` makes; left as it was.
    """
    whole = model.clone()
    graph, sketch = whole.graph, Sketch(whole.graph)
    history = graph.inputs[0]
    readers = list(history.uses())
    shape = sketch.op("Shape", history)
    lacking = sketch.op("Max", sketch.op("Sub", sketch.number([1, 1]), shape), sketch.number([0, 0]))
    pads = sketch.op("Concat", sketch.number([0, 0]), lacking, axis=0)
    padded = sketch.op("Pad", history, pads, sketch.number(-1, np.int32))
    for node, index in readers:
        node.replace_input_with(index, padded)
    graph.insert_before(graph[0], sketch.taken())
    first, one = sketch.number([0]), sketch.number([1])
    batch = sketch.op("Slice", shape, first, one)
    for place, inner in enumerate(graph.outputs):
        outer = sketch.op("Slice", inner, first, batch, first)
        outer.shape, outer.type = inner.shape, inner.type
        outer.name, inner.name, inner.shape = inner.name, f"{inner.name}.all", None
        graph.outputs[place] = outer
    graph.extend(sketch.taken())
    return whole
