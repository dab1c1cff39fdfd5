"""An .onnx file from outside -> fp32 ONNX IR. The file is hostile until it has been looked at."""

from __future__ import annotations

__all__ = ["from_file", "read_onnx", "readable"]

from typing import TYPE_CHECKING

import onnx
import onnx_ir as ir

from edge_rec_converters.places import mark_places
from edge_rec_converters.quiet import quiet
from edge_rec_converters.standard_form import narrow_inputs, standard_form
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_converters.signature import Signature

_LARGEST = 2 << 30
_OPSETS = range(17, 24)


def from_file(path: Path, signature: Signature) -> ir.Model:
    """Read an ONNX file and bring it into the form that a module is exported in.

    Functions are inlined, opsets 17 to 23 become 20, float64 and half-precision numbers float32, and int64 inputs int32 where
    the signature has them so.

    Raises:
        ConversionError: The file is missing, too large, no ONNX, of an opset that is not read, keeps its data elsewhere than
            beside it, or has operators that no common form exists for.
    """
    return narrow_inputs(readable(read_onnx(path), path), signature)


def read_onnx(path: Path) -> ir.Model:
    """Read an ONNX file of any opset as it is, its external data included.

    Raises:
        ConversionError: The file is missing, too large, no ONNX, or keeps its data elsewhere than beside it.
    """
    if not path.is_file():
        raise ConversionError(f"{path}: no such file; give the path of an .onnx file")
    if (size := path.stat().st_size) > _LARGEST:
        raise ConversionError(f"{path}: {size} bytes, and an ONNX file has at most {_LARGEST}; keep the weights as external data")
    try:
        with quiet():
            model = ir.load(path)
            _load_weights(model, path)
    except ConversionError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error
    return model


def readable(model: ir.Model, path: Path) -> ir.Model:
    """Return a model as it was read in the form that conversions start from, each node marked with its place.

    Raises:
        ConversionError: It breaks the rules of ONNX, has an opset that is not read, or operators without a common form.
    """
    opset = model.graph.opset_imports.get("")
    if opset not in _OPSETS:
        raise ConversionError(
            f"{path}: opset {opset}, and {_OPSETS[0]} to {_OPSETS[-1]} are read; export the model again with opset_version=20"
        )
    try:
        with quiet():
            onnx.checker.check_model(ir.to_proto(model))
            return standard_form(mark_places(model))
    except ConversionError as error:
        raise ConversionError(f"{path}: {error}") from error
    except Exception as error:
        raise _unreadable(path, error) from error


def _load_weights(model: ir.Model, path: Path) -> None:
    """Read external data into memory, and only from the file's own folder."""
    folder = path.resolve().parent
    for graph in model.graphs():
        for value in graph.initializers.values():
            tensor = value.const_value
            if not isinstance(tensor, ir.ExternalTensor):
                continue
            held = (folder / str(tensor.location)).resolve()
            if not held.is_relative_to(folder):
                raise ConversionError(
                    f"{path}: weight '{value.name}' points outside the folder of the file; copy its data beside it"
                )
            if not held.is_file():
                raise ConversionError(
                    f"{path}: weight '{value.name}' is kept in '{tensor.location}', which is missing; copy it beside it"
                )
            value.const_value = ir.tensor(tensor.numpy().copy(), name=value.name)


def _unreadable(path: Path, error: Exception) -> ConversionError:
    lines = str(error).splitlines()
    reason = f"{type(error).__name__}: {lines[0][:150]}" if lines else type(error).__name__
    return ConversionError(f"{path}: cannot be read as ONNX ({reason}); export the model again")
