"""The operators of a graph by name: which of them have a form here, and what to do about the others."""

from __future__ import annotations

__all__ = ["operator", "require_operators", "where"]

from typing import TYPE_CHECKING

from edge_rec_converters.places import PLACE
from edge_rec_converters.targets.tflite._notes import ADVICE, FOLDED
from edge_rec_converters.targets.tflite.ops import OPS
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import onnx_ir as ir

_ONNX_DOMAINS = ("", "ai.onnx")
_SHOWN = 8


def require_operators(graph: ir.Graph) -> None:
    """Refuse a graph with operators that have no form here, or that reads what nothing computes.

    Raises:
        ConversionError: Names all unknown operators at once, with their places in the model and advice.
    """
    if not graph.outputs or not graph.inputs:
        raise ConversionError("the graph has no inputs or no outputs; the TFLite target wants both, with names")
    unknown = [node for node in graph if operator(node) not in OPS and operator(node) not in FOLDED]
    if unknown:
        named = [f"{operator(node)} at {where(node)}" for node in unknown]
        more = f"; and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
        raise ConversionError(
            f"{len(unknown)} operators of the model have no TFLite form: {'; '.join(named[:_SHOWN])}{more}. "
            f"{''.join(_advice(unknown))}Write them with other operators in the model, or convert to ONNX, which keeps most"
        )
    defined = {*graph.inputs, *graph.initializers.values()}
    for node in graph:
        for value in node.inputs:
            if value is not None and value not in defined:
                raise ConversionError(f"{operator(node)} at {where(node)} reads {value.name!r}, which nothing computes before it")
        defined.update(node.outputs)
    for value in graph.outputs:
        if value not in defined:
            raise ConversionError(f"the output {value.name!r} is computed by no node of the graph")


def _advice(unknown: Sequence[ir.Node]) -> Iterator[str]:
    for name in sorted({operator(node) for node in unknown} & set(ADVICE)):
        yield f"{name}: {ADVICE[name]}. "


def operator(node: ir.Node) -> str:
    """Return an operator's type, with its domain unless that is ONNX's own."""
    return node.op_type if node.domain in _ONNX_DOMAINS else f"{node.domain}::{node.op_type}"


def where(node: ir.Node) -> str:
    """Return the place in the model that a node came from, else its name or that of its result."""
    return f"'{node.metadata_props.get(PLACE) or node.name or (node.outputs[0].name if node.outputs else '') or '?'}'"
