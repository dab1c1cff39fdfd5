"""torch.nn.Module -> fp32 ONNX IR, with batch and lengths left open."""

from __future__ import annotations

__all__ = ["OPSET", "from_torch"]

import hashlib
import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_ir as ir
import torch

from edge_rec_converters.causes import first_cause
from edge_rec_converters.places import mark_places
from edge_rec_converters.quiet import quiet
from edge_rec_converters.rewrites import rewritten
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_converters.signature import Port, Signature

# The newest opset before SDPA becomes a single Attention node, which few engines run.
OPSET = 20
_TYPES = {ir.DataType.FLOAT: torch.float32, ir.DataType.INT32: torch.int32}


def from_torch(module: torch.nn.Module, signature: Signature, *, named_as: torch.nn.Module | None = None) -> ir.Model:
    """Export a module; it is left as it was.

    Args:
        module: Takes the signature's inputs by position, in their order, and returns its outputs.
        signature: Names, types and axes.
        named_as: Another module of the same weights, whose names they get.

    Returns:
        The graph, its large constants named as the module's parameters and buffers, its nodes marked with their place.

    Raises:
        ConversionError: torch cannot trace the module, or an operator has no ONNX form.
    """
    sizes = _example_sizes(signature)
    example = tuple(_example(port, sizes) for port in signature.inputs)
    was_training = {part: part.training for part in module.modules()}
    try:
        with quiet(), rewritten(), torch.no_grad():
            program = torch.onnx.export(
                module.eval(),
                example,
                dynamo=True,
                opset_version=OPSET,
                input_names=[port.name for port in signature.inputs],
                output_names=[port.name for port in signature.outputs],
                dynamic_shapes=_dynamic(module, signature),
                verbose=False,
            )
    except Exception as error:
        raise _refusal(module, error) from error
    finally:
        for part, training in was_training.items():
            part.training = training
    if program is None:
        raise ConversionError(f"{type(module).__name__}: torch.onnx.export returned no program; update torch")
    model = mark_places(program.model)
    _restore_names(model, named_as or module)
    return model


def _example_sizes(signature: Signature) -> dict[str, int]:
    """Return sizes of the open axes, unlike each other and unlike 1 where they may be: a network that joins two is found out."""
    axes = dict.fromkeys(axis for port in signature.inputs for axis in port.axes if isinstance(axis, str))
    return {axis: min(2 + 3 * at, signature.longest[axis]) for at, axis in enumerate(axes)}


def _example(port: Port, sizes: dict[str, int]) -> torch.Tensor:
    return torch.ones([sizes[axis] if isinstance(axis, str) else axis for axis in port.axes], dtype=_TYPES[port.dtype])


def _dynamic(module: torch.nn.Module, signature: Signature) -> dict[str, Any]:
    """Return the open axes by the module's argument, in the shape that torch.export wants ``*features`` in."""
    open_axes = {axis: torch.export.Dim(axis, min=1, max=longest) for axis, longest in signature.longest.items() if longest > 1}
    shapes = [{at: open_axes[axis] for at, axis in enumerate(port.axes) if isinstance(axis, str)} for port in signature.inputs]
    try:
        return inspect.signature(module.forward).bind(*shapes).arguments
    except TypeError as error:
        inputs = ", ".join(map(str, signature.inputs))
        raise ConversionError(f"{type(module).__name__} is fed by position, and: {error}; it is given {inputs}") from error


def _refusal(module: torch.nn.Module, error: BaseException) -> ConversionError:
    """Say what went wrong in one sentence: the exporter wraps it in pages of advice."""
    cause = first_cause(error)
    name = type(module).__name__
    if isinstance(cause, ConversionError):
        return ConversionError(f"{name} cannot be exported to ONNX: {cause}")
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return ConversionError(
        f"{name} cannot be exported to ONNX: {(lines[0] if lines else type(cause).__name__)[:300]}; "
        "keep batch and length out of Python control flow, and use operators that torch.onnx knows"
    )


def _restore_names(model: ir.Model, module: torch.nn.Module) -> None:
    """Give constants the name of the parameter whose values they hold, transposed or not: folding loses it.

    A parameter that is called like an input or output gets another name, or one would be taken for the other.
    """
    ports = {value.name for value in (*model.graph.inputs, *model.graph.outputs)}
    for value in list(model.graph.initializers.values()):
        if value.name in ports:
            value.name = f"parameter.{value.name}"
    known: dict[bytes, str] = {}
    for transposed in (False, True):  # one that holds the values as they are goes before one that holds them transposed
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if tensor.is_floating_point():
                array = tensor.detach().cpu().numpy().astype(np.float32)
                known.setdefault(_digest(array.T if transposed else array), name)
    taken = {*model.graph.initializers, *ports}
    for value in list(model.graph.initializers.values()):
        if value.const_value is None or value.const_value.dtype != ir.DataType.FLOAT:
            continue
        original = known.get(_digest(value.const_value.numpy()))
        if original is not None and original not in taken:
            value.name = original
            taken.add(original)


def _digest(array: NDArray[np.generic]) -> bytes:
    """Stand for values by 32 bytes, so that a large table is not kept twice."""
    return hashlib.sha256(np.ascontiguousarray(array).data).digest()
