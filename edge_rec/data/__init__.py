"""From interaction logs, whoever wrote them, to sequences and splits."""

from edge_rec.data.dataset import Dataset, load
from edge_rec.data.fetching import get
from edge_rec.data.filters import k_core
from edge_rec.data.interactions import Interactions, Sequences, Split
from edge_rec.data.items import Items
from edge_rec.data.reading import read_interactions, read_items, read_users
from edge_rec.data.sources import SOURCES
from edge_rec.data.splits import leave_one_out, sequences
from edge_rec.data.summary import Summary, summarise
from edge_rec.data.users import Users

__all__ = [
    "SOURCES",
    "Dataset",
    "Interactions",
    "Items",
    "Sequences",
    "Split",
    "Summary",
    "Users",
    "get",
    "k_core",
    "leave_one_out",
    "load",
    "read_interactions",
    "read_items",
    "read_users",
    "sequences",
    "summarise",
]
