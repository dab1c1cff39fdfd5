"""Where in a model a node came from, kept from the export until a target is written.

A target that lacks an operator can then say ``CumSum at blocks.0.attention`` and not only ``CumSum``.
"""

from __future__ import annotations

__all__ = ["PLACE", "mark_places"]

import re
from typing import TYPE_CHECKING

import onnx_ir as ir

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = "place"

_SCOPES = (
    "pkg.torch.onnx.name_scopes"  # "['', 'blocks.0', 'blocks.0.attention', 'linear']": modules from outside in, then the node
)
_LONGEST = 120


def mark_places(model: ir.Model) -> ir.Model:
    """Write each node's place of origin into its ``metadata_props["place"]``; returns the model it was given.

    The place is the path of the torch module where the exporter wrote it down, else the node's own name.
    """
    for node in _nodes(model):
        if place := _module(node) or node.name or "":
            node.metadata_props[PLACE] = place[:_LONGEST]
    return model


def _nodes(model: ir.Model) -> Iterator[ir.Node]:
    yield from ir.traversal.RecursiveGraphIterator(model.graph)
    for function in model.functions.values():
        yield from ir.traversal.RecursiveGraphIterator(function)


def _module(node: ir.Node) -> str:
    scopes = re.findall(r"'([^']*)'", node.metadata_props.get(_SCOPES, ""))
    return next((scope for scope in reversed(scopes[:-1]) if scope), "")
