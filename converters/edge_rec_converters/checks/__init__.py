"""Look at a model before any work is spent on it: its parts fit together, and its network keeps the protocol's promises.

The promises are tried on real histories or examples, because nothing in a module's signature shows them: padding changes nothing,
and what else is in the batch changes nothing.
"""

from __future__ import annotations

__all__ = ["check_encoder", "check_examples", "check_neighbours", "check_network", "check_ranker", "check_retriever"]

from edge_rec_converters.checks.neighbours import check_neighbours
from edge_rec_converters.checks.ranker import check_examples, check_network, check_ranker
from edge_rec_converters.checks.retriever import check_encoder, check_retriever
