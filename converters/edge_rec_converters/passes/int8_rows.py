"""Store constant tables that are looked up or added, such as positions, as int8 with one scale a row.

Two hundred positions of 64 floats are a fifth of a small model; left in fp32 they would decide its size.
"""

from __future__ import annotations

__all__ = ["Int8RowTables"]

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import DOMAIN, INT8_ROWS, declare, floats
from edge_rec_converters.edit import add_constant
from edge_rec_converters.row_codes import quantise_rows
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Int8RowTables:
    """Put ``Int8Rows`` in the place of large fp32 matrices that no dense layer took.

    Attributes:
        keep: Patterns (fnmatch) of tables that stay fp32.
        min_elements: Smaller tables stay fp32.
    """

    keep: tuple[str, ...] = ()
    min_elements: int = 1024

    def requires(self, model: ir.Model) -> None:
        """Every table that is to be rounded is finite."""
        for value, table in self._tables(model):
            if not np.isfinite(table).all():
                raise ConversionError(
                    f"table '{value.name}' holds NaN or infinity, and int8 codes need finite numbers; "
                    "convert a checkpoint from before training diverged"
                )

    def run(self, model: ir.Model) -> ir.Model:
        """Return the graph with its tables in int8."""
        after = model.clone()
        for value, table in list(self._tables(after)):
            codes, scales = quantise_rows(table)
            name = str(value.name)
            stored = [add_constant(after.graph, codes, f"{name}.codes"), add_constant(after.graph, scales, f"{name}.scales")]
            rows = ir.node(INT8_ROWS, stored, domain=DOMAIN)
            rows.outputs[0].type, rows.outputs[0].shape = value.type, value.shape
            value.replace_all_uses_with(rows.outputs[0])
            after.graph.insert_before(after.graph[0], rows)
            del after.graph.initializers[name]
        return declare(after)

    def ensures(self, before: ir.Model, after: ir.Model) -> None:
        """No table that should be int8 is left in fp32."""
        left = [str(value.name) for value, _ in self._tables(after)]
        if left:
            raise ConversionError(f"tables {', '.join(left)} stayed fp32 of {len(before.graph.initializers)}; report this model")

    def _tables(self, model: ir.Model) -> Iterator[tuple[ir.Value, NDArray[np.float32]]]:
        for value in model.graph.initializers.values():
            table = floats(value)
            if table is None or table.ndim != 2 or table.size < self.min_elements:
                continue
            if not any(fnmatchcase(str(value.name), pattern) for pattern in self.keep):
                yield value, table
