"""Emitters: a graph in standard operators and the dialect becomes the bytes of a file."""

from __future__ import annotations

__all__ = ["EMITTERS", "emitter", "require_operators", "step_emitter"]

import importlib
from typing import TYPE_CHECKING

from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import onnx_ir as ir

# target -> module with ``emit(model) -> bytes``, imported when it is asked for: each brings the libraries of its format.
EMITTERS: dict[str, str] = {
    "onnx": "edge_rec_converters.targets.onnx",
    "tflite": "edge_rec_converters.targets.tflite",
}


def emitter(target: str) -> Callable[[ir.Model], bytes]:
    """Return the function that writes a graph for a target.

    Raises:
        ConversionError: No such target.
    """
    if target not in EMITTERS:
        raise ConversionError(f"target {target!r} is not known; use one of {', '.join(EMITTERS)}")
    emit: Callable[[ir.Model], bytes] = importlib.import_module(EMITTERS[target]).emit
    return emit


def step_emitter(target: str) -> Callable[[ir.Model, ir.Model], tuple[bytes, bytes | None]]:
    """Return the function that writes an encoder and its step graph, which stands in the encoder's file where it returns None.

    Raises:
        ConversionError: No such target.
    """
    emitter(target)
    emit: Callable[[ir.Model, ir.Model], tuple[bytes, bytes | None]] = importlib.import_module(EMITTERS[target]).emit_with_step
    return emit


def require_operators(model: ir.Model, targets: Iterable[str]) -> None:
    """Check that every target has all operators of an fp32 graph, before any other work.

    Raises:
        ConversionError: One lacks some; the message names each and where in the model it stands.
    """
    for target in targets:
        emitter(target)
        importlib.import_module(EMITTERS[target]).check(model)
