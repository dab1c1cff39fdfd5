"""Half-precision tables whose rows are looked up: the cast is moved behind the look-up.

Engines cast a constant once, when they load, which for a large table would double its bytes in memory.
"""

from __future__ import annotations

__all__ = ["cast_behind_lookups"]

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import constant
from edge_rec_converters.edit import replace_nodes


def cast_behind_lookups(graph: ir.Graph) -> None:
    """Rewrite ``Gather(Cast(table), rows)`` to ``Cast(Gather(table, rows))``, in place."""
    for node in list(graph):
        if node.op_type != "Gather" or node.domain or node.attributes.get_int("axis", 0) != 0 or node.inputs[0] is None:
            continue
        cast = node.inputs[0].producer()
        if cast is None or cast.op_type != "Cast" or cast.domain:
            continue
        table = constant(cast.inputs[0])
        if table is None or table.dtype != np.float16:
            continue
        gathered = ir.node("Gather", [cast.inputs[0], node.inputs[1]])
        back = ir.node("Cast", gathered.outputs, attributes={"to": ir.DataType.FLOAT})
        replace_nodes([node], [gathered, back], back.outputs[0])
        if not cast.outputs[0].uses():
            graph.remove(cast, safe=True)
