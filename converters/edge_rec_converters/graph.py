"""The single hub: whatever a model is written in, from here on it is fp32 ONNX IR."""

from __future__ import annotations

__all__ = ["model_graph", "step_graph"]

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.causes import first_cause
from edge_rec_converters.dialect import constant
from edge_rec_converters.onnx_file import from_file
from edge_rec_converters.protocol import RankerSource, Stepping
from edge_rec_converters.quiet import quiet
from edge_rec_converters.signature import Port, Signature, signature, step_signature
from edge_rec_converters.standard_form import require_plain
from edge_rec_converters.tidy import tidy
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    import torch

    from edge_rec_converters.protocol import RetrieverSource
    from edge_rec_runtime.state import StatePart


_LEAST_WINDOW = 2  # events; with one there is nothing to remember


def model_graph(source: RetrieverSource | RankerSource) -> ir.Model:
    """Return a source's network as a lean graph with the inputs and the output of its kind.

    A retriever's encoder is ``vectors, mask, *context -> query``, a ranker's network ``*features -> logit``.

    Raises:
        ConversionError: It cannot be exported or read, has other inputs or outputs, or holds NaN.
    """
    wanted, network = signature(source), source.network if isinstance(source, RankerSource) else source.encoder
    lean = _lean(from_file(network, wanted) if isinstance(network, Path) else _exported(network, wanted), wanted)
    _check_patterns(lean, source)
    return lean


def step_graph(source: RetrieverSource) -> tuple[ir.Model, tuple[StatePart, ...]]:
    """Return the graph by which a source's encoder goes on from what it remembers, and what that is.

    Its weights have the names that they have in `model_graph`.

    Raises:
        ConversionError: The encoder has no such form, or it cannot be exported.
    """
    encoder = source.encoder
    if isinstance(encoder, Path) or not isinstance(encoder, Stepping) or source.context or source.max_length < _LEAST_WINDOW:
        raise ConversionError(
            f"{source.name}: its encoder cannot go on from what it remembers, since {_why_not(source)}; "
            "convert it without --incremental"
        )
    from edge_rec_converters.torch_steps import Stepped  # noqa: PLC0415 - files are converted without torch

    state = encoder.state
    wanted = step_signature(source, state)
    growing = any(part.per_event for part in state)
    return _lean(_exported(Stepped(encoder, growing=growing), wanted, named_as=encoder), wanted), state


def _why_not(source: RetrieverSource) -> str:
    """Return in words why an encoder has no step graph."""
    if isinstance(source.encoder, Path):
        return "it is a file, which has one form only"
    if source.context:
        return f"it also takes {', '.join(feature.name for feature in source.context)}"
    if source.max_length < _LEAST_WINDOW:
        return f"it looks back {source.max_length} event"
    return f"{type(source.encoder).__name__} has no state and step (see the protocol Stepping)"


def _lean(model: ir.Model, wanted: Signature) -> ir.Model:
    """Check a graph's ports and weights and make it lean."""
    _check_ports(model, wanted)
    try:
        with quiet():
            lean = tidy(model)
        require_plain(lean)
    except Exception as error:  # whatever a damaged graph makes the optimiser raise
        cause = first_cause(error)
        reason = f"the graph is inconsistent ({type(cause).__name__}); export the model again"
        raise ConversionError(f"{wanted.model}: {cause if isinstance(cause, ConversionError) else reason}") from error
    _check_weights(lean, wanted.model)
    return lean


def _exported(module: torch.nn.Module, wanted: Signature, *, named_as: torch.nn.Module | None = None) -> ir.Model:
    from edge_rec_converters.torch_export import from_torch  # noqa: PLC0415 - files are converted without torch

    return from_torch(module, wanted, named_as=named_as)


def _check_ports(model: ir.Model, wanted: Signature) -> None:
    inputs = [value for value in model.graph.inputs if value.name not in model.graph.initializers]
    taken, given = ([str(value.name) for value in values] for values in (inputs, model.graph.outputs))
    if sorted(taken) != sorted(port.name for port in wanted.inputs) or given != [port.name for port in wanted.outputs]:
        raise ConversionError(
            f"{wanted.model}: the graph has the inputs {', '.join(taken) or 'none'} and the outputs "
            f"{', '.join(given) or 'none'}; expected {wanted}"
        )
    ports = {port.name: port for port in (*wanted.inputs, *wanted.outputs)}
    for value in (*inputs, *model.graph.outputs):
        _check_port(value, ports[str(value.name)], wanted)
    _check_axes(inputs, ports, wanted)


def _check_port(value: ir.Value, port: Port, wanted: Signature) -> None:
    if value.dtype != port.dtype:
        raise ConversionError(f"{wanted.model}: '{port.name}' is {value.dtype}; cast inside the graph, expected {port}")
    shape = value.shape
    if shape is None:
        return
    if len(shape) != len(port.axes):
        raise ConversionError(f"{wanted.model}: '{port.name}' has {len(shape)} axes; expected {port}")
    for at, (found, axis) in enumerate(zip(shape, port.axes, strict=True)):
        if not isinstance(found, int) or found == axis:
            continue
        if isinstance(axis, str):
            raise ConversionError(
                f"{wanted.model}: axis {at} of '{port.name}' is fixed at {found}; batch and length must stay dynamic "
                "(in a module take sizes from x.shape, not len(x) or int(...))"
            )
        if port.name in {"vectors", "query"} and at == len(shape) - 1:
            raise ConversionError(f"{wanted.model}: '{port.name}' is {found} wide and the item table {axis}; they must be equal")
        raise ConversionError(f"{wanted.model}: axis {at} of '{port.name}' is {found}; expected {port}")


def _check_axes(inputs: list[ir.Value], ports: dict[str, Port], wanted: Signature) -> None:
    """Two lists of a request are seldom equally long, so a graph that takes them for one size would be wrong on the device."""
    seen: dict[str, tuple[str, str | int]] = {}
    for value in inputs:
        port = ports[str(value.name)]
        for found, axis in zip(value.shape or (), port.axes, strict=False):
            if isinstance(found, int) or found.value is None:
                continue
            other, other_axis = seen.setdefault(found.value, (port.name, axis))
            if other_axis != axis:
                raise ConversionError(
                    f"{wanted.model}: the graph takes axes of '{other}' and '{port.name}' to be equally long, and each has its "
                    "own size; look what belongs to an item up from the item inside the network"
                )


def _check_weights(model: ir.Model, name: str) -> None:
    for value in model.graph.initializers.values():
        array = constant(value)
        if array is not None and array.dtype.kind == "f" and np.isnan(array).any():
            raise ConversionError(f"{name}: weight '{value.name}' holds NaN; convert a checkpoint from before training diverged")


def _check_patterns(model: ir.Model, source: RetrieverSource | RankerSource) -> None:
    """A pattern that matches nothing would let a weight be rounded that was meant to stay."""
    names = [name for name, value in model.graph.initializers.items() if value.dtype == ir.DataType.FLOAT]
    for pattern in source.float_weights:
        if pattern != "*" and not any(fnmatchcase(name, pattern) for name in names):
            large = [name for name, value in model.graph.initializers.items() if len(value.shape or ()) > 1]
            raise ConversionError(
                f"{source.name}: float_weights has {pattern!r} and no weight of the graph matches; its matrices are "
                f"{', '.join(large[:8]) or 'none'}{', ...' if len(large) > 8 else ''}"
            )
