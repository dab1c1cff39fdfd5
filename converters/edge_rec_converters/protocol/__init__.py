"""The door: what a model must show to be converted, whoever wrote it.

There are three kinds. A *retriever* scores every item by the inner product of a query vector and an item table, *neighbours* are
a sparse table from item to item, a *ranker* scores given candidates by their features. The zoo, a stranger's ``nn.Module``
and an ``.onnx`` file all come in as one of them; each is a protocol and, for whoever has the parts at hand, a record.
"""

from __future__ import annotations

__all__ = [
    "SOURCES",
    "Neighbours",
    "NeighboursSource",
    "Ranker",
    "RankerSource",
    "Retriever",
    "RetrieverSource",
    "Source",
    "Stepping",
    "missing",
]

from typing import TypeAlias

from edge_rec_converters.protocol.neighbours import Neighbours, NeighboursSource
from edge_rec_converters.protocol.ranker import Ranker, RankerSource
from edge_rec_converters.protocol.retriever import Retriever, RetrieverSource
from edge_rec_converters.protocol.stepping import Stepping

Source: TypeAlias = RetrieverSource | NeighboursSource | RankerSource

# kind -> what a source of it must show
SOURCES: dict[str, type] = {
    "retriever": RetrieverSource,
    "neighbours": NeighboursSource,
    "ranker": RankerSource,
}


def missing(source: object, kind: str) -> tuple[str, ...]:
    """Return the members of a kind's protocol that an object lacks."""
    members = (name for name, member in vars(SOURCES[kind]).items() if isinstance(member, property))
    return tuple(name for name in members if not hasattr(source, name))
