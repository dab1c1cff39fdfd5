"""The single hub: whatever an encoder is written in, from here on it is fp32 ONNX IR."""

from __future__ import annotations

__all__ = ["encoder_graph"]

from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import constant
from edge_rec_converters.onnx_file import from_file
from edge_rec_converters.quiet import quiet
from edge_rec_converters.tidy import tidy
from edge_rec_converters.torch_export import from_torch
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from edge_rec_converters.protocol import RetrieverSource

_SIGNATURE = {"vectors": 3, "mask": 2, "query": 2}


def encoder_graph(source: RetrieverSource) -> ir.Model:
    """Return the encoder of a source as a lean graph ``vectors, mask -> query``.

    Raises:
        ConversionError: It cannot be exported or read, has other inputs or outputs, or holds NaN.
    """
    if isinstance(source.encoder, Path):
        model = from_file(source.encoder)
    else:
        model = from_torch(source.encoder, dims=source.item_table.shape[1], max_length=source.max_length)
    _check_signature(model, source)
    try:
        with quiet():
            lean = tidy(model)
    except Exception as error:  # whatever a damaged graph makes the optimiser raise
        raise ConversionError(
            f"{source.name}: the graph is inconsistent ({type(error).__name__}); export the model again"
        ) from error
    _check_weights(lean, source)
    _check_patterns(lean, source)
    return lean


def _check_signature(model: ir.Model, source: RetrieverSource) -> None:
    inputs = [value for value in model.graph.inputs if value.name not in model.graph.initializers]
    taken, given = ([str(value.name) for value in values] for values in (inputs, model.graph.outputs))
    if sorted(taken) != ["mask", "vectors"] or given != ["query"]:
        raise ConversionError(
            f"{source.name}: the graph has the inputs {', '.join(taken) or 'none'} and the outputs {', '.join(given) or 'none'}; "
            "an encoder has the inputs vectors [batch, length, dims] and mask [batch, length], and the output query [batch, dims]"
        )
    for value in (*inputs, *model.graph.outputs):
        name = str(value.name)
        if value.dtype != ir.DataType.FLOAT:
            raise ConversionError(
                f"{source.name}: '{name}' is {value.dtype}; cast inside the graph, encoders take and give float32"
            )
        shape = value.shape
        if shape is None:
            continue
        if len(shape) != _SIGNATURE[name]:
            raise ConversionError(f"{source.name}: '{name}' has {len(shape)} axes, expected {_SIGNATURE[name]}; see `Retriever`")
        fixed = [axis for axis in range(len(shape) - 1 if name != "mask" else 2) if isinstance(shape[axis], int)]
        if fixed and not (source.max_length == 1 and fixed == [1]):
            raise ConversionError(
                f"{source.name}: axis {fixed[0]} of '{name}' is fixed at {shape[fixed[0]]}; batch and length must stay dynamic "
                "(in a module take sizes from x.shape, not len(x) or int(...))"
            )
        width = shape[-1]
        if name != "mask" and isinstance(width, int) and width != source.item_table.shape[1]:
            raise ConversionError(
                f"{source.name}: '{name}' is {width} wide and the item table {source.item_table.shape[1]}; they must be equal"
            )


def _check_weights(model: ir.Model, source: RetrieverSource) -> None:
    for value in model.graph.initializers.values():
        array = constant(value)
        if array is not None and array.dtype.kind == "f" and np.isnan(array).any():
            raise ConversionError(
                f"{source.name}: weight '{value.name}' holds NaN; convert a checkpoint from before training diverged"
            )


def _check_patterns(model: ir.Model, source: RetrieverSource) -> None:
    """A pattern that matches nothing would let a weight be rounded that was meant to stay."""
    names = [name for name, value in model.graph.initializers.items() if value.dtype == ir.DataType.FLOAT]
    for pattern in source.float_weights:
        if pattern != "*" and not any(fnmatchcase(name, pattern) for name in names):
            large = [name for name, value in model.graph.initializers.items() if len(value.shape or ()) > 1]
            raise ConversionError(
                f"{source.name}: float_weights has {pattern!r} and no weight of the graph matches; its matrices are "
                f"{', '.join(large[:8]) or 'none'}{', ...' if len(large) > 8 else ''}"
            )
