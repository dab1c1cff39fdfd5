"""The item table in the layouts of the runtime, chosen by a precision."""

from __future__ import annotations

__all__ = ["encoder_table", "item_tables"]

from types import MappingProxyType
from typing import TYPE_CHECKING

from edge_rec_converters.binary_codes import fit_binary
from edge_rec_converters.compensation import fit_int4, fit_int8
from edge_rec_converters.pq_codes import fit_pq
from edge_rec_runtime import Fp16Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_rec_converters.reference import Reference
    from edge_rec_runtime import ItemTable, Precision


def item_tables(
    precision: Precision, fit: Reference, finished: Mapping[str, ItemTable] = MappingProxyType({})
) -> dict[str, ItemTable]:
    """Return the table for each role of a bundle: a finished one of its layout, or the source's table encoded.

    Args:
        precision: What the table is stored in.
        fit: The source's table, and its queries on the histories that codes are fitted to.
        finished: Tables by layout that the source brings; see `RetrieverSource.tables`.
    """
    roles = {"items": precision.items} | ({} if precision.rescore == "none" else {"rescore": precision.rescore})
    return {role: finished[layout] if layout in finished else LAYOUTS[layout](fit) for role, layout in roles.items()}


def encoder_table(tables: Mapping[str, ItemTable]) -> ItemTable:
    """Return the table whose vectors the device feeds to the encoder."""
    return tables.get("rescore", tables["items"])


LAYOUTS: dict[str, Callable[[Reference], ItemTable]] = {
    "fp32": lambda fit: fit.table,
    "fp16": lambda fit: Fp16Table.encode(fit.table.values, fit.table.bias),
    "int8": fit_int8,
    "int4": fit_int4,
    "binary": fit_binary,
    "pq": fit_pq,
}
