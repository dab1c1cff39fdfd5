"""Store embedding tables as codes of 8, 4 or 1 bits with one scale a row, and decode only the rows that are asked for.

Tables are most of a ranker's bytes. One scale for a whole table, as common quantisers have it, turns rows of small norm to
zeros; decoding a table before the look-up would cost its whole size at every call, or in memory.
"""

from __future__ import annotations

__all__ = ["RowWiseLookups", "looked_up_tables"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.dialect import LAYOUTS, ROW_LOOKUP, declare, floats, is_dialect, row_lookup, text
from edge_rec_converters.edit import add_constant, drop_unused_constants, replace_nodes
from edge_rec_converters.passes._contract import Chosen, everything
from edge_rec_converters.passes._sites import require_finite
from edge_rec_converters.row_codes import quantise_binary, quantise_int4, quantise_rows, round_rows
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import onnx_ir as ir
    from numpy.typing import NDArray

_HALF = np.finfo(np.float16)
_Coded = tuple["NDArray[np.int8] | NDArray[np.uint8]", "NDArray[np.float32]", "NDArray[np.float32] | None"]


@dataclass(frozen=True)
class _Site:
    """One look-up: the node, the table's constant and its content [R, D]."""

    node: ir.Node
    table: ir.Value
    values: NDArray[np.float32]


def looked_up_tables(model: ir.Model) -> frozenset[str]:
    """Return the names of the fp32 matrices whose rows are looked up."""
    return frozenset(str(site.table.name) for site in _lookups(model))


@dataclass(frozen=True, kw_only=True)
class RowWiseLookups:
    """Rewrite Gather of rows of a constant matrix to ``RowLookup``.

    Attributes:
        layout: What the rows become, see `edge_rec_converters.dialect`: ``int8``, ``int4`` or ``binary``.
        chosen: Tells by a table's name whether it is rewritten.
        min_rows: Tables with fewer rows stay fp32: they are small, and often matter more than large ones.
    """

    layout: str
    chosen: Chosen = everything
    min_rows: int = 64

    def requires(self, model: ir.Model) -> None:
        """Every table that is to be rounded is finite."""
        if self.layout not in LAYOUTS:
            raise ConversionError(f"tables cannot be {self.layout!r}; use one of {', '.join(LAYOUTS)}")
        for table in {id(site.table): site for site in self._sites(model)}.values():
            require_finite(str(table.table.name), table.values, what=self.layout)

    def run(self, model: ir.Model) -> ir.Model:
        """Return the graph with its tables in codes; look-ups of one table share them."""
        if not any(self._sites(model)):
            return model
        after = model.clone()
        stored: dict[str, list[ir.Value]] = {}
        for site in list(self._sites(after)):
            name = str(site.table.name)
            if name not in stored:
                codes, scales, centre = _CODERS[self.layout](site.values)
                stored[name] = [
                    add_constant(after.graph, codes, f"{name}.codes"),
                    add_constant(after.graph, scales, f"{name}.scales"),
                ]
                stored[name] += [] if centre is None else [add_constant(after.graph, centre, f"{name}.centre")]
            indices = site.node.inputs[1]
            if indices is None:
                raise AssertionError("a Gather has indices")
            looked_up = row_lookup(indices, *stored[name], layout=self.layout, width=site.values.shape[1])
            replace_nodes([site.node], [looked_up], looked_up.outputs[0])
        drop_unused_constants(after.graph)
        return declare(after)

    def ensures(self, before: ir.Model, after: ir.Model) -> None:
        """Every look-up was rewritten, and no row that held numbers lost its scale."""
        made = [node for node in after.graph if is_dialect(node, ROW_LOOKUP) and text(node, "layout") == self.layout]
        was = [node for node in before.graph if is_dialect(node, ROW_LOOKUP) and text(node, "layout") == self.layout]
        if len(made) - len(was) != len(list(self._sites(before))):
            raise ConversionError("a look-up was lost while its table was rounded; report this model")
        for node in made:
            scales = floats(node.inputs[2])
            if scales is None or not np.isfinite(scales).all():
                raise ConversionError(f"table '{node.inputs[1] and node.inputs[1].name}' got no finite scales; report this model")

    def _sites(self, model: ir.Model) -> Iterator[_Site]:
        for site in _lookups(model):
            rows, width = site.values.shape
            if rows >= self.min_rows and _saves(self.layout, width) and self.chosen(str(site.table.name)):
                yield site


def _lookups(model: ir.Model) -> Iterator[_Site]:
    for node in list(model.graph):
        if node.op_type == "Gather" and node.domain == "" and node.attributes.get_int("axis", 0) == 0:
            table, values = node.inputs[0], floats(node.inputs[0])
            if table is not None and values is not None and values.ndim == 2:
                yield _Site(node, table, values)


def _saves(layout: str, width: int) -> bool:
    """Tell whether codes and a scale are smaller than the row in half precision, which costs nothing else."""
    return -(-width // LAYOUTS.get(layout, 1)) + 2 < 2 * width


def _stored(scales: NDArray[np.floating]) -> NDArray[np.float32]:
    """Round scales to half precision where none of them loses its own by it, so that a file may store them so."""
    kept = (scales == 0) | ((scales >= _HALF.tiny) & (scales <= _HALF.max))
    return scales.astype(np.float16 if kept.all() else np.float32).astype(np.float32)


def _int8(values: NDArray[np.float32]) -> _Coded:
    scales = _stored(quantise_rows(values)[1])
    return round_rows(values, scales), scales, None


def _int4(values: NDArray[np.float32]) -> _Coded:
    codes, scales = quantise_int4(values)
    return codes, _stored(scales), None


def _binary(values: NDArray[np.float32]) -> _Coded:
    centred = bool(values.any(axis=1).all())  # else a row of zeros, such as padding, would become the centre
    bits, scales, centre = quantise_binary(values, centred=centred)
    return bits, _stored(scales), centre


_CODERS: dict[str, Callable[[NDArray[np.float32]], _Coded]] = {"int8": _int8, "int4": _int4, "binary": _binary}
