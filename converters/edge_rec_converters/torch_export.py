"""torch.nn.Module -> fp32 ONNX IR, with batch and length left open."""

from __future__ import annotations

__all__ = ["OPSET", "from_torch"]

import numpy as np
import onnx_ir as ir
import torch

from edge_rec_converters.quiet import quiet
from edge_rec_converters.whole_layers import plain_attention, whole_recurrences
from edge_rec_runtime.errors import ConversionError

# The newest opset before SDPA becomes a single Attention node, which few engines run.
OPSET = 20
_EXAMPLE = (2, 5)  # unlike each other and unlike 1, so that the exporter keeps them apart


def from_torch(encoder: torch.nn.Module, *, dims: int, max_length: int) -> ir.Model:
    """Export an encoder.

    Args:
        encoder: ``forward(vectors [batch, length, dims], mask [batch, length]) -> query [batch, dims]``.
        dims: Width of an item vector.
        max_length: Longest window; the exported length runs from 1 to it.

    Returns:
        The graph, its large constants named as the module's parameters and buffers.

    Raises:
        ConversionError: torch cannot trace the module, or an operator has no ONNX form.
    """
    batch = torch.export.Dim("batch", min=1, max=4096)
    length = torch.export.Dim("length", min=1, max=max_length) if max_length > 1 else 1
    rows, columns = _EXAMPLE[0], min(_EXAMPLE[1], max_length)
    example = (torch.zeros(rows, columns, dims), torch.ones(rows, columns))
    was_training = encoder.training
    try:
        with quiet(), whole_recurrences(), plain_attention(), torch.no_grad():
            program = torch.onnx.export(
                encoder.eval(),
                example,
                dynamo=True,
                opset_version=OPSET,
                input_names=["vectors", "mask"],
                output_names=["query"],
                dynamic_shapes=({0: batch, 1: length}, {0: batch, 1: length}),
                verbose=False,
            )
    except Exception as error:
        raise ConversionError(
            f"{type(encoder).__name__} cannot be exported to ONNX: {_first_line(error)}; "
            "keep batch and length out of Python control flow, and use operators that torch.onnx knows"
        ) from error
    finally:
        encoder.train(was_training)
    if program is None:
        raise ConversionError(f"{type(encoder).__name__}: torch.onnx.export returned no program; update torch")
    model: ir.Model = program.model
    _restore_names(model, encoder)
    return model


def _restore_names(model: ir.Model, encoder: torch.nn.Module) -> None:
    """Give constants the name of the parameter whose values they hold, transposed or not: folding loses it."""
    known: dict[bytes, str] = {}
    for name, tensor in (*encoder.named_parameters(), *encoder.named_buffers()):
        if not tensor.is_floating_point():
            continue
        array = tensor.detach().cpu().numpy().astype(np.float32)
        known.setdefault(array.tobytes(), name)
        known.setdefault(np.ascontiguousarray(array.T).tobytes(), name)
    taken = set(model.graph.initializers)
    for value in list(model.graph.initializers.values()):
        if value.const_value is None or value.const_value.dtype != ir.DataType.FLOAT:
            continue
        original = known.get(value.const_value.numpy().tobytes())
        if original is not None and original not in taken:
            value.name = original
            taken.add(original)


def _first_line(error: BaseException) -> str:
    """Find the sentence that says what went wrong: the exporter wraps it in pages of advice."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return (lines[0] if lines else type(cause).__name__)[:300]
