"""Make a graph lean: what an exporter leaves behind is often larger than an int8 model.

torch leaves some 60 KB of stack traces, names as long as paths, and the same constant many times. None of it is run.
"""

from __future__ import annotations

__all__ = ["tidy"]

from typing import TYPE_CHECKING

import onnx_ir as ir
from onnx_ir.passes import common
from onnxscript import optimizer

from edge_rec_converters.dialect import floats
from edge_rec_converters.modest import fold_if_modest
from edge_rec_converters.names import known_weights, restore_names
from edge_rec_converters.places import PLACE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    _Holder = ir.Model | ir.Graph | ir.Node | ir.Value

# Equal constants of up to this many elements are merged; comparing larger ones costs more than a twin among them is likely.
_MERGED = 1 << 20
# What depends on constants only is computed now where it is no larger than the largest weight, up to so many elements: transposed
# weights, gates in another order. Item tables may be larger, and nobody reorders them.
_FOLDED = 1 << 24
_LEAST_FOLDED = 1 << 18


def tidy(model: ir.Model, *, final: bool = False) -> ir.Model:
    """Return a copy that computes the same with less: constants folded and merged, dead nodes and trace metadata gone.

    Initializers keep their names, by which precisions are assigned; other values get short ones. Of what is written on nodes
    only their place of origin is kept, for the sentences of emitters.

    Args:
        model: Any graph.
        final: The graph is lowered and will be written as it is: nothing is folded, since it would decode its own weights, and
            no place is kept.
    """
    lean = model.clone()
    if not final:
        weights = {name: array for name, value in lean.graph.initializers.items() if (array := floats(value)) is not None}
        known = known_weights(weights.items())
        limit = min(max((_LEAST_FOLDED, *(array.size for array in weights.values()))), _FOLDED)
        optimizer.optimize_ir(lean, input_size_limit=limit, output_size_limit=limit, should_fold=fold_if_modest)
    passes: list[ir.passes.PassBase] = [
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        common.IdentityEliminationPass(),
        common.CommonSubexpressionEliminationPass(),
        common.DeduplicateInitializersPass(size_limit=_MERGED),
        common.RemoveUnusedNodesPass(),
        common.RemoveUnusedFunctionsPass(),  # type: ignore[no-untyped-call]  # onnx-ir forgot its types
        common.RemoveUnusedOpsetsPass(),
        common.TopologicalSortPass(),
    ]
    lean = ir.passes.Sequential(*passes)(lean).model
    lean.producer_name, lean.producer_version, lean.graph.name = "edge-rec", None, "network"
    nodes = list(ir.traversal.RecursiveGraphIterator(lean.graph))
    _forget((lean, lean.graph, *lean.graph.inputs, *lean.graph.initializers.values()))
    _forget(nodes, keep=() if final else (PLACE,))
    _shorten(lean.graph, nodes)
    if not final:
        restore_names(lean, known)
    return lean


def _forget(holders: Iterable[_Holder], *, keep: Collection[str] = ()) -> None:
    """Clear what tools wrote on parts of a graph, except under the keys that are kept."""
    for holder in holders:
        kept = {key: value for key, value in holder.metadata_props.items() if key in keep}
        holder.metadata_props.clear()
        holder.metadata_props.update(kept)
        holder.doc_string = None


def _shorten(graph: ir.Graph, nodes: Iterable[ir.Node]) -> None:
    """Number the values in the order they are computed; nodes need no names at all."""
    taken = {value.name for value in (*graph.inputs, *graph.outputs, *graph.initializers.values())}
    count = 0
    for node in nodes:
        node.name = None
        for value in node.outputs:
            value.metadata_props.clear()
            if value.is_graph_output():
                continue
            while f"v{count}" in taken:
                count += 1
            value.name = f"v{count}"
            count += 1
