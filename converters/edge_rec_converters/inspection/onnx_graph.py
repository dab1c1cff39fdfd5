"""What is in an .onnx file."""

from __future__ import annotations

__all__ = ["onnx_facts"]

import importlib
from collections import Counter
from typing import TYPE_CHECKING

import onnx_ir as ir

from edge_rec_converters.causes import first_cause
from edge_rec_converters.inspection.facts import GraphFacts, Port, Weight
from edge_rec_converters.inspection.savings import savings
from edge_rec_converters.onnx_file import read_onnx, readable
from edge_rec_converters.quiet import quiet
from edge_rec_converters.standard_form import require_plain
from edge_rec_converters.targets import EMITTERS
from edge_rec_converters.tidy import tidy
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_STANDARD = ("", "ai.onnx")


def onnx_facts(path: Path) -> GraphFacts:
    """Look at an .onnx file of any opset; nothing in it is run.

    Raises:
        ConversionError: It cannot be read.
    """
    model = read_onnx(path)
    try:
        nodes = list(_nodes(model))
        converts, saved = _converted(path, model)
        return GraphFacts(
            format="onnx",
            version=f"opset {model.graph.opset_imports.get('', '?')}",
            nbytes=path.stat().st_size,
            inputs=_ports(value for value in model.graph.inputs if value.name not in model.graph.initializers),
            outputs=_ports(model.graph.outputs),
            operators=dict(Counter(map(_operator, nodes)).most_common()),
            weights=_weights(model, nodes),
            converts=converts,
            savings=saved,
        )
    except (ValueError, TypeError, OverflowError) as error:  # sizes that contradict each other
        raise ConversionError(f"{path}: its graph is inconsistent ({type(error).__name__}); export the model again") from error


def _converted(path: Path, model: ir.Model) -> tuple[dict[str, str | None], dict[str, int | None]]:
    """Take the way of a conversion up to the emitters, and say where it ends."""
    try:
        with quiet():
            lean = tidy(readable(model, path))
        require_plain(lean)
    except Exception as error:  # noqa: BLE001 - whatever a damaged graph makes the optimiser raise
        cause = first_cause(error)
        reason = f"the graph is inconsistent ({type(cause).__name__}); export the model again"
        said = str(cause).removeprefix(f"{path}: ") if isinstance(cause, ConversionError) else reason
        return dict.fromkeys(EMITTERS, said), {}
    return {target: _refusal(target, lean) for target in EMITTERS}, savings(lean)


def _refusal(target: str, graph: ir.Model) -> str | None:
    try:
        importlib.import_module(EMITTERS[target]).check(graph)
    except ConversionError as error:
        return str(error)
    except ModuleNotFoundError as error:
        return f"the {target} target needs the package '{error.name}', which is not installed; run: pip install 'edge-rec[host]'"
    return None


def _nodes(model: ir.Model) -> Iterator[ir.Node]:
    yield from ir.traversal.RecursiveGraphIterator(model.graph)
    for function in model.functions.values():
        yield from ir.traversal.RecursiveGraphIterator(function)


def _operator(node: ir.Node) -> str:
    return node.op_type if node.domain in _STANDARD else f"{node.domain}::{node.op_type}"


def _ports(values: Iterable[ir.Value]) -> tuple[Port, ...]:
    return tuple(Port(name=str(value.name), dtype=_dtype(value.dtype), shape=_shape(value.shape)) for value in values)


def _shape(shape: ir.Shape | None) -> tuple[int | str, ...] | None:
    return None if shape is None else tuple(size if isinstance(size, int) else size.value or "?" for size in shape)


def _dtype(dtype: ir.DataType | None) -> str:
    if dtype is None:
        return "?"
    return {"FLOAT": "float32", "DOUBLE": "float64"}.get(dtype.name, dtype.name.lower())


def _weights(model: ir.Model, nodes: Iterable[ir.Node]) -> tuple[Weight, ...]:
    held = [(value.name, value.const_value) for graph in model.graphs() for value in graph.initializers.values()]
    held += [(node.outputs[0].name, ir.convenience.get_const_tensor(node.outputs[0])) for node in nodes if _is_constant(node)]
    found = [
        Weight(name=name or "?", dtype=_dtype(tensor.dtype), shape=tuple(tensor.numpy().shape), nbytes=tensor.nbytes)
        for name, tensor in held
        if tensor is not None
    ]
    return tuple(sorted(found, key=lambda one: (-one.nbytes, one.name)))


def _is_constant(node: ir.Node) -> bool:
    return node.op_type == "Constant" and node.domain in _STANDARD
