"""The door: what a model must show to be converted, whoever wrote it.

There are three kinds. A *retriever* scores every item by the inner product of a query vector and an item table, *neighbours* are
a sparse table from item to item, a *ranker* scores given candidates by their features. The zoo, a stranger's ``nn.Module``
and an ``.onnx`` file all come in as one of them; each is a protocol and, for whoever has the parts at hand, a record.
"""

from __future__ import annotations

__all__ = ["Neighbours", "NeighboursSource", "Ranker", "RankerSource", "Retriever", "RetrieverSource", "Source"]

from typing import TypeAlias

from edge_rec_converters.protocol.neighbours import Neighbours, NeighboursSource
from edge_rec_converters.protocol.ranker import Ranker, RankerSource
from edge_rec_converters.protocol.retriever import Retriever, RetrieverSource

Source: TypeAlias = RetrieverSource | NeighboursSource | RankerSource
