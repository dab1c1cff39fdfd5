"""What a handler sees of a node: its inputs, as far as they are known, and its attributes."""

from __future__ import annotations

__all__ = ["Call", "Rows", "Value"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from edge_rec_converters.targets.tflite._sizes import Shape
    from edge_rec_converters.targets.tflite._steps import Steps


@dataclass(frozen=True, eq=False)
class Rows:
    """A float32 matrix that stands in the file as int8 codes [rows, width] and scales [rows] float32."""

    codes: NDArray[np.int8]
    scales: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the graph, whether or not it has a place in the file yet.

    Attributes:
        shape: One `Dim` an axis.
        dtype: Its type in the file: float32, int32, int8 or bool.
        known: What is in it, if that is known now: an array, or an object array that holds a `Size` somewhere.
        name: Of a weight or an input.
        half: Known float32 numbers that stand in the file as float16, which the engine decodes when it loads.
        rows: The same with int8 codes, for constants that no operator takes apart.
        steps: States of a recurrence, collected where an operator reads them.
        multiplied: Codes of a table whose rows are multiplied, and so stand in the file as products want them.
    """

    shape: Shape
    dtype: np.dtype[Any]
    known: NDArray[Any] | None = None
    name: str = ""
    half: bool = False
    rows: Rows | None = None
    steps: Steps | None = None
    multiplied: bool = False

    @property
    def rank(self) -> int:
        """Return the number of axes."""
        return len(self.shape)

    @property
    def constant(self) -> NDArray[Any] | None:
        """Return what is in it, if that is numbers throughout."""
        return self.known if self.known is not None and self.known.dtype != object else None


@dataclass(frozen=True, kw_only=True)
class Call:
    """One node of the model with its inputs at hand.

    Attributes:
        op: Operator type, with its domain unless that is ONNX's own.
        where: Name and origin of the node, for messages.
        inputs: None stands for an optional input that is not given.
        attributes: Plain Python values.
        used: For each result of the node, whether anything reads it.
        summed: All that is read of the first result is a sum of it, times something (see `_fusion`).
    """

    op: str
    where: str
    inputs: tuple[Value | None, ...]
    attributes: Mapping[str, Any]
    used: tuple[bool, ...]
    summed: bool = False

    def __getitem__(self, position: int) -> Value:
        """Return an input that must be there."""
        value = self.optional(position)
        if value is None:
            raise self.error(f"input {position} is missing")
        return value

    def optional(self, position: int) -> Value | None:
        """Return an input, or None if it is not given."""
        return self.inputs[position] if position < len(self.inputs) else None

    def constant(self, position: int, what: str) -> NDArray[Any]:
        """Return the numbers in an input that TFLite wants fixed in the file."""
        numbers = self[position].constant
        if numbers is None:
            raise self.error(f"{what} is computed while the model runs; TFLite needs it fixed, make it a constant")
        return numbers

    def axis(self, axis: int, rank: int) -> int:
        """Return an axis counted from the front."""
        if not -rank <= axis < rank:
            raise self.error(f"axis {axis} is outside of a tensor with {rank} axes")
        return axis % rank

    def error(self, message: str) -> ConversionError:
        """Return an error that says which node it is about."""
        return ConversionError(f"{self.op} at {self.where}: {message}")
