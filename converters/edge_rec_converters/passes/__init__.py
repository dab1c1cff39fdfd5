"""Rewrites of the graph, one a file: ``requires -> run -> ensures``, each returning a new graph."""

from __future__ import annotations

__all__ = ["Int8Linears", "Int8RowTables", "Pass", "StaticActivations", "apply"]

from edge_rec_converters.passes._contract import Pass, apply
from edge_rec_converters.passes.int8_linear import Int8Linears
from edge_rec_converters.passes.int8_rows import Int8RowTables
from edge_rec_converters.passes.static_activations import StaticActivations
