"""Retriever graphs: look-up, encoder, item table, mask of seen items and top-k in one file, for apps without our runtime."""

from __future__ import annotations

__all__ = ["never_empty", "require_form", "retriever_graph"]

from edge_rec_converters.retriever.graph import retriever_graph
from edge_rec_converters.retriever.spare import never_empty
from edge_rec_converters.retriever.stored import require_form
