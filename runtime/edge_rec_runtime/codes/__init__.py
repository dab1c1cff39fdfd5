"""Item tables: the layouts of an item table's bytes, and how each is decoded and scored. Their only definition.

The converters write these layouts and the device reads them; a bundle names one by its key in `LAYOUTS`.
"""

from __future__ import annotations

__all__ = ["LAYOUTS", "BinaryTable", "Fp32Table", "Int8Table", "ItemTable"]

from edge_rec_runtime.codes.binary import BinaryTable
from edge_rec_runtime.codes.fp32 import Fp32Table
from edge_rec_runtime.codes.int8 import Int8Table
from edge_rec_runtime.codes.table import ItemTable

LAYOUTS: dict[str, type[ItemTable]] = {
    "fp32": Fp32Table,
    "int8": Int8Table,
    "binary": BinaryTable,
}
