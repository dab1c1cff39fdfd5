"""Turn a graph in float64 or half precision into the float32 that every precision starts from."""

from __future__ import annotations

__all__ = ["single_precision"]

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterable

_OTHERS = (ir.DataType.DOUBLE, ir.DataType.FLOAT16, ir.DataType.BFLOAT16)
_NAMING = ("to", "dtype", "output_dtype", "softmax_precision", "stash_type")  # attributes that hold a type


def single_precision(model: ir.Model) -> ir.Model:
    """Give every other float type of a graph the type float32; returns the model it was given.

    Raises:
        ConversionError: A weight in float64 is too large for float32.
    """
    for graph in model.graphs():
        _retype(graph.inputs)
        for value in graph.initializers.values():
            _retype([value])
            if value.const_value is not None:
                value.const_value = _single(value.const_value, str(value.name))
        for node in graph:
            _retype(node.outputs)
            _rewrite(node)
    return model


def _retype(values: Iterable[ir.Value]) -> None:
    for value in values:
        if value.dtype in _OTHERS:
            value.type = ir.TensorType(ir.DataType.FLOAT)


def _rewrite(node: ir.Node) -> None:
    for name, attribute in list(node.attributes.items()):
        if attribute.is_ref():
            continue
        if attribute.type == ir.AttributeType.TENSOR:
            tensor = attribute.as_tensor()
            node.attributes[name] = ir.AttrTensor(name, _single(tensor, name))
        elif attribute.type == ir.AttributeType.INT and name in _NAMING and attribute.as_int() in _OTHERS:
            node.attributes[name] = ir.AttrInt64(name, int(ir.DataType.FLOAT))


def _single(tensor: ir.TensorProtocol, name: str) -> ir.TensorProtocol:
    if tensor.dtype not in _OTHERS:
        return tensor
    wide = tensor.numpy()
    with np.errstate(over="ignore"):
        single = wide.astype(np.float32)
    if (np.isinf(single) & np.isfinite(wide.astype(np.float64))).any():
        raise ConversionError(f"weight '{name}' holds a float64 number beyond float32; clip it to +-3.4e38 before the export")
    return ir.tensor(single, name=tensor.name)
