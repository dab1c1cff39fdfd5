"""Store constants that no dense layer and no look-up took as int8 with one scale a row: positions, weights of recurrences.

Two hundred positions of 64 floats are a fifth of a small model; left in fp32 they would decide its size. The weights of GRU,
LSTM and RNN nodes are stored so as well: their products stay float, since a recurrence feeds its rounding back to itself.
"""

from __future__ import annotations

__all__ = ["Int8RowTables"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import declare, floats, int8_rows
from edge_rec_converters.edit import add_constant
from edge_rec_converters.passes._contract import Chosen, everything
from edge_rec_converters.passes._sites import require_finite
from edge_rec_converters.places import PLACE
from edge_rec_converters.row_codes import quantise_rows
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Int8RowTables:
    """Put ``Int8Rows`` in the place of large fp32 constants of two axes or more; the last axis is the row.

    A constant with infinities in it is a mask and stays as it is.

    Attributes:
        chosen: Tells by a constant's name whether it is rewritten.
        min_elements: Smaller constants stay fp32.
    """

    chosen: Chosen = everything
    min_elements: int = 1024

    def requires(self, model: ir.Model) -> None:
        """No constant that is to be rounded holds NaN."""
        for value, table in self._tables(model):
            require_finite(str(value.name), table, what="int8")

    def run(self, model: ir.Model) -> ir.Model:
        """Return the graph with its tables in int8; those of more axes get them back by a Reshape."""
        if not any(self._tables(model)):
            return model
        after = model.clone()
        for value, table in list(self._tables(after)):
            name = str(value.name)
            codes, scales = quantise_rows(table.reshape(-1, table.shape[-1]))
            stored = [add_constant(after.graph, codes, f"{name}.codes"), add_constant(after.graph, scales, f"{name}.scales")]
            made = [int8_rows(*stored)]
            if table.ndim > 2:
                made[0].outputs[0].type, made[0].outputs[0].shape = value.type, ir.Shape(codes.shape)
                shape = add_constant(after.graph, np.array(table.shape, np.int64), f"{name}.shape")
                made.append(ir.node("Reshape", [made[0].outputs[0], shape]))
            rows = made[-1].outputs[0]
            rows.type, rows.shape = value.type, value.shape
            place = next((user.metadata_props[PLACE] for user in value.consumers() if PLACE in user.metadata_props), None)
            for node in made if place is not None else ():
                node.metadata_props[PLACE] = str(place)
            value.replace_all_uses_with(rows)
            after.graph.insert_before(after.graph[0], made)
            del after.graph.initializers[name]
        return declare(after)

    def ensures(self, before: ir.Model, after: ir.Model) -> None:
        """No constant that should be int8 is left in fp32."""
        left = [str(value.name) for value, _ in self._tables(after)]
        if left:
            raise ConversionError(f"tables {', '.join(left)} stayed fp32 of {len(before.graph.initializers)}; report this model")

    def _tables(self, model: ir.Model) -> Iterator[tuple[ir.Value, NDArray[np.float32]]]:
        for value in model.graph.initializers.values():
            table = floats(value)
            if table is None or table.ndim < 2 or table.size < self.min_elements or table.shape[-1] < 2:
                continue
            if not value.is_graph_output() and self.chosen(str(value.name)) and not np.isinf(table).any():
                yield value, table
