"""The range that values of a graph take on real histories."""

from __future__ import annotations

__all__ = ["ranges"]

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.session import open_session
from edge_rec_converters.windows import pad

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_rec_converters.windows import Windows

_USERS = 512


def ranges(graph: ir.Model, names: Sequence[str], users: Windows, vectors: NDArray[np.float32]) -> dict[str, tuple[float, float]]:
    """Run a graph on histories, one by one and unpadded, and return the smallest and largest number of each named value.

    Args:
        graph: An fp32 encoder.
        names: Values of the graph.
        users: Histories; the first 512 are run.
        vectors: [items, dims] float32.
    """
    if not names:
        return {}
    watched = graph.clone()
    values = {value.name: value for node in watched.graph for value in node.outputs} | {
        value.name: value for value in watched.graph.inputs
    }
    watched.graph.outputs.clear()
    bounds = [_bound(watched.graph, values[name], op) for name in names for op in ("ReduceMin", "ReduceMax")]
    watched.graph.outputs.extend(bounds)
    session = open_session(ir.to_proto(watched).SerializeToString())
    found = np.array(
        [
            session.run(None, dict(zip(("vectors", "mask"), pad([users[user]], vectors), strict=True)))
            for user in range(min(len(users), _USERS))
        ],
        np.float32,
    )
    low, high = found[:, 0::2].min(axis=0), found[:, 1::2].max(axis=0)
    return {name: (float(low[at]), float(high[at])) for at, name in enumerate(names)}


def _bound(graph: ir.Graph, value: ir.Value, op: str) -> ir.Value:
    node = ir.node(op, [value], attributes={"keepdims": 0})
    bound = node.outputs[0]
    bound.name, bound.type, bound.shape = f"{value.name}.{op}", ir.TensorType(ir.DataType.FLOAT), ir.Shape([])
    graph.append(node)
    return bound
