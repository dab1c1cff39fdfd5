"""From interaction logs to sequences and splits."""

from edge_rec.data.dataset import Dataset, load
from edge_rec.data.filters import k_core
from edge_rec.data.interactions import Interactions, Sequences, Split
from edge_rec.data.items import Items
from edge_rec.data.reading import read_interactions, read_items
from edge_rec.data.splits import leave_one_out, sequences

__all__ = [
    "Dataset",
    "Interactions",
    "Items",
    "Sequences",
    "Split",
    "k_core",
    "leave_one_out",
    "load",
    "read_interactions",
    "read_items",
    "sequences",
]
