"""Item tables: the layouts of an item table's bytes, and how each is decoded and scored. Their only definition.

The converters write these layouts and the device reads them; a bundle names one by its key in `LAYOUTS`,
or, for a table of neighbours, in `SPARSE_LAYOUTS`.
"""

from __future__ import annotations

__all__ = [
    "LAYOUTS",
    "SPARSE_LAYOUTS",
    "BinaryTable",
    "Fp16Table",
    "Fp32Table",
    "HammingTable",
    "Int4Table",
    "Int8Table",
    "ItemTable",
    "NeighbourTable",
    "PqTable",
    "Shadow",
    "Shadowed",
    "SparseInt8Table",
    "SparseTable",
]

from edge_rec_runtime.codes.binary import BinaryTable
from edge_rec_runtime.codes.fp16 import Fp16Table
from edge_rec_runtime.codes.fp32 import Fp32Table
from edge_rec_runtime.codes.hamming import HammingTable
from edge_rec_runtime.codes.int4 import Int4Table
from edge_rec_runtime.codes.int8 import Int8Table
from edge_rec_runtime.codes.pq import PqTable
from edge_rec_runtime.codes.shadow import Shadow, Shadowed
from edge_rec_runtime.codes.sparse import SPARSE_LAYOUTS, NeighbourTable, SparseInt8Table, SparseTable
from edge_rec_runtime.codes.table import ItemTable

LAYOUTS: dict[str, type[ItemTable]] = {
    "fp32": Fp32Table,
    "fp16": Fp16Table,
    "int8": Int8Table,
    "int4": Int4Table,
    "binary": BinaryTable,
    "pq": PqTable,
}
