"""Rewrites of the graph, one a file: ``requires -> run -> ensures``, each returning a new graph."""

from __future__ import annotations

__all__ = [
    "BinaryLinears",
    "Chosen",
    "Fp16Constants",
    "Int8Linears",
    "Int8RowTables",
    "KnownActivations",
    "Pass",
    "RowWiseLookups",
    "StaticActivations",
    "apply",
    "before_transposes",
    "everything",
    "input_grids",
    "looked_up_tables",
    "per_token_inputs",
]

from edge_rec_converters.passes._contract import Chosen, Pass, apply, everything
from edge_rec_converters.passes.binary_linear import BinaryLinears
from edge_rec_converters.passes.fp16_constants import Fp16Constants
from edge_rec_converters.passes.int8_linear import Int8Linears
from edge_rec_converters.passes.int8_rows import Int8RowTables
from edge_rec_converters.passes.known_activations import KnownActivations, input_grids
from edge_rec_converters.passes.row_wise_lookups import RowWiseLookups, looked_up_tables
from edge_rec_converters.passes.static_activations import StaticActivations, before_transposes, per_token_inputs
