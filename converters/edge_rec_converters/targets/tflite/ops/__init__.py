"""How each ONNX operator is said in TFLite, one family a module."""

from __future__ import annotations

__all__ = ["OPS", "Handler"]

from collections.abc import Callable
from typing import TypeAlias

from edge_rec_converters.targets.tflite._call import Call, Value
from edge_rec_converters.targets.tflite._lowering import Lowering
from edge_rec_converters.targets.tflite.ops import (
    activations,
    attention,
    einsum,
    elementwise,
    gathering,
    joining,
    logic,
    matmul,
    normalisation,
    products,
    quantised,
    recurrent,
    reductions,
    reshaping,
    rows,
    scattering,
    slicing,
)

Handler: TypeAlias = Callable[[Lowering, Call], Value | tuple[Value | None, ...]]

OPS: dict[str, Handler] = {
    **activations.OPS,
    **attention.OPS,
    **einsum.OPS,
    **elementwise.OPS,
    **gathering.OPS,
    **joining.OPS,
    **logic.OPS,
    **matmul.OPS,
    **normalisation.OPS,
    **products.OPS,
    **quantised.OPS,
    **recurrent.OPS,
    **reductions.OPS,
    **reshaping.OPS,
    **rows.OPS,
    **scattering.OPS,
    **slicing.OPS,
}
