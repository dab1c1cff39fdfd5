"""Make a graph lean: what an exporter leaves behind is often larger than an int8 model.

torch leaves some 60 KB of stack traces, names as long as paths, and the same constant many times. None of it is run.
"""

from __future__ import annotations

__all__ = ["tidy"]

from typing import TYPE_CHECKING

import onnx_ir as ir
from onnx_ir.passes import common
from onnxscript import optimizer

if TYPE_CHECKING:
    from collections.abc import Iterable

# Equal constants of up to this many elements are merged; comparing larger ones costs more than a twin among them is likely.
_MERGED = 1 << 20


def tidy(model: ir.Model, *, fold: bool = True) -> ir.Model:
    """Return a copy that computes the same with less: constants folded and merged, dead nodes and trace metadata gone.

    Initializers keep their names, by which precisions are assigned; other values get short ones.

    Args:
        model: Any graph.
        fold: Fold what depends on constants only. A lowered graph is not folded: it would decode its own weights.
    """
    lean = model.clone()
    if fold:
        optimizer.optimize_ir(lean)
    passes: list[ir.passes.PassBase] = [
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        common.IdentityEliminationPass(),
        common.CommonSubexpressionEliminationPass(),
        common.DeduplicateInitializersPass(size_limit=_MERGED),
        common.RemoveUnusedNodesPass(),
        common.RemoveUnusedFunctionsPass(),  # type: ignore[no-untyped-call]  # onnx-ir forgot its types
        common.RemoveUnusedOpsetsPass(),
        common.TopologicalSortPass(),
        common.ClearMetadataAndDocStringPass(),
    ]
    lean = ir.passes.Sequential(*passes)(lean).model
    lean.metadata_props.clear()
    lean.doc_string = None
    lean.producer_name, lean.producer_version, lean.graph.name = "edge-rec", None, "encoder"
    _forget(lean.graph.inputs)
    _forget(lean.graph.initializers.values())
    _shorten(lean.graph)
    return lean


def _forget(values: Iterable[ir.Value]) -> None:
    for value in values:
        value.metadata_props.clear()
        value.doc_string = None


def _shorten(graph: ir.Graph) -> None:
    """Number the values in the order they are computed; nodes need no names at all."""
    taken = {value.name for value in (*graph.inputs, *graph.outputs, *graph.initializers.values())}
    count = 0
    for node in ir.traversal.RecursiveGraphIterator(graph):
        node.name = None
        for value in node.outputs:
            value.metadata_props.clear()
            if value.is_graph_output():
                continue
            while f"v{count}" in taken:
                count += 1
            value.name = f"v{count}"
            count += 1
