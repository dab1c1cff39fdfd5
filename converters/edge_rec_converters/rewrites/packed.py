"""Refuse packed sequences by name.

``pack_padded_sequence`` cuts a batch by its lengths, so the shape of what follows depends on values; torch says so in pages.
"""

from __future__ import annotations

__all__ = ["no_packed_sequences"]

from typing import TYPE_CHECKING, NoReturn

from edge_rec_converters.rewrites._intercept import intercept
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from torch.overrides import TorchFunctionMode

_PACKING = "_pack_padded_sequence"


def no_packed_sequences() -> TorchFunctionMode:
    """Raise ConversionError where a module packs a sequence."""
    return intercept(lambda function: _refuse if getattr(function, "__name__", "") == _PACKING else None)


def _refuse(*_: object, **__: object) -> NoReturn:
    raise ConversionError(
        "pack_padded_sequence has no ONNX form; run the recurrent layer on the padded history, which comes after the events "
        "and so changes none of them, and gather the state at mask.sum(1) - 1"
    )
