"""The file while it is being written: what handlers see of their inputs, and how they add operators."""

from __future__ import annotations

__all__ = ["Call", "Lowering", "Value"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_converters.targets.tflite._sizes import Dim, Shape, Size
from edge_rec_converters.targets.tflite._writer import INT32, Writer
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the graph, whether or not it has a place in the file yet.

    Attributes:
        shape: One `Dim` an axis.
        dtype: Its type in the file: float32, int32, int8 or bool.
        known: What is in it, if that is known now: an array, or an object array that holds a `Size` somewhere.
        name: Of a weight or an input.
    """

    shape: Shape
    dtype: np.dtype[Any]
    known: NDArray[Any] | None = None
    name: str = ""

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
        outputs: How many results the node has.
    """

    op: str
    where: str
    inputs: tuple[Value | None, ...]
    attributes: Mapping[str, Any]
    outputs: int

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


class Lowering:
    """Adds operators to a file and remembers which value lies where."""

    def __init__(self) -> None:
        self.writer = Writer()
        self._places: dict[Value, int] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], int] = {}
        self._origins: dict[Size, tuple[Value, int]] = {}
        self._shapes: dict[Value, Value] = {}
        self._vectors: dict[tuple[Dim, ...], Value] = {}

    def input(self, name: str, shape: Shape, dtype: DTypeLike) -> Value:
        """Add an input of the graph."""
        return self._computed(Value(shape, np.dtype(dtype), name=name))

    def known(self, values: ArrayLike, *, dtype: DTypeLike | None = None, name: str = "") -> Value:
        """Return a value whose content is known; it takes no place in the file until an operator reads it.

        Args:
            values: Numbers, truth values, or an object array with sizes in it.
            dtype: float32, int32, int8 or bool; that of ``values`` by default, int32 for wider integers and sizes.
            name: Of a weight.

        Raises:
            ConversionError: A type that the files have no room for, or an integer beyond 32 bits.
        """
        array = np.asarray(values, dtype=dtype)
        if array.dtype == object and not any(isinstance(item, Size) for item in array.flat):
            array = array.astype(np.bool_ if all(isinstance(item, bool) for item in array.flat) and array.size else np.int64)
        if array.dtype in (np.int64, np.int32, object):
            return Value(array.shape, np.dtype(np.int32), array, name)
        if array.dtype not in (np.float32, np.int8, np.bool_):
            raise ConversionError(
                f"constant {name!r} is {array.dtype}; the TFLite target takes float32, int32, int64, int8 and bool, "
                "so cast it in the model"
            )
        return Value(array.shape, array.dtype, array, name)

    def emit(
        self,
        operator: str,
        inputs: Sequence[Value | None],
        shape: Shape,
        dtype: DTypeLike | None = None,
        **options: Any,  # noqa: ANN401  # fields of the format's option tables, of many types
    ) -> Value:
        """Add an operator with one result.

        Args:
            operator: Name in the table of operators.
            inputs: None stands for an optional input that is not given.
            shape: Of the result.
            dtype: Of the result; that of the first input by default.
            **options: ``version`` and fields of the operator's option table.
        """
        (result,) = self.emit_all(operator, inputs, (shape,), dtype, **options)
        return result

    def emit_all(
        self,
        operator: str,
        inputs: Sequence[Value | None],
        shapes: Sequence[Shape],
        dtype: DTypeLike | None = None,
        **options: Any,  # noqa: ANN401  # as in emit
    ) -> tuple[Value, ...]:
        """Add an operator with one result a shape; see `emit`."""
        if dtype is None:
            dtype = next(value.dtype for value in inputs if value is not None)
        places = [-1 if value is None else self.place(value) for value in inputs]
        results = tuple(self._computed(Value(shape, np.dtype(dtype))) for shape in shapes)
        self.writer.operator(operator, places, [self._places[result] for result in results], **options)
        return results

    def place(self, value: Value) -> int:
        """Return the index of the value's tensor; a known value is written when it is first asked for."""
        if value not in self._places:
            if value.constant is not None:
                self._places[value] = self._constant(value.constant, value.name)
            elif value.known is not None:
                self._places[value] = self.place(self._sizes(value.known))
            else:  # pragma: no cover  # every computed value gets its place when it is made
                raise AssertionError(value)
        return self._places[value]

    def quantised(self, codes: Value, scales: NDArray[np.float32]) -> Value:
        """Return int8 codes [rows, width] as a tensor that carries scales, [rows] or [1] float32.

        Raises:
            ConversionError: The codes are no constant.
        """
        if codes.constant is None:
            raise ConversionError("int8 codes are computed while the model runs; they have to be constants")
        value = Value(codes.shape, codes.dtype, name=codes.name)
        self._places[value] = self.writer.constant(codes.constant, scales=scales, name=codes.name)
        return value

    def finish(self, *, inputs: Mapping[str, Value], outputs: Mapping[str, Value], description: str) -> bytes:
        """Return the file."""
        named = {name: self._named(value, name) for name, value in outputs.items()}
        return self.writer.finish(
            inputs={name: self.place(value) for name, value in inputs.items()}, outputs=named, description=description
        )

    def _named(self, value: Value, name: str) -> int:
        """Return a tensor that carries the output's name; an input or a weight that is also an output is copied."""
        if value.known is not None or value.name:
            value = self.emit("RESHAPE", [value, self.known(np.array(value.shape, object))], value.shape)
        place = self.place(value)
        self.writer.rename(place, name)
        return place

    def _computed(self, value: Value) -> Value:
        shape = [None if isinstance(size, Size) else size for size in value.shape]
        self._places[value] = self.writer.tensor(shape, value.dtype, name=value.name)
        for axis, size in enumerate(value.shape):
            if isinstance(size, Size):
                self._origins.setdefault(size, (value, axis))
        return value

    def _constant(self, array: NDArray[Any], name: str) -> int:
        if array.dtype == np.int64:
            narrow = array.astype(np.int32)
            if not np.array_equal(narrow, array):
                raise ConversionError(f"constant {name!r} holds {array.flat[np.argmax(narrow != array)]}, more than 32 bits can")
            array = narrow
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = self.writer.constant(array, name=name)
        return self._constants[key]

    def _sizes(self, sizes: NDArray[Any]) -> Value:
        """Compute sizes in the file, from the shapes of tensors that have them.

        LiteRT evaluates these few operators when it plans the graph, so shapes stay static for everything behind them.
        """
        vector = self._vector(tuple(sizes.flat))
        if sizes.ndim == 1:
            return vector
        return self.emit("RESHAPE", [vector, self.known(np.array(sizes.shape, np.int32))], sizes.shape)

    def _vector(self, sizes: tuple[Dim, ...]) -> Value:
        if sizes not in self._vectors:
            if all(isinstance(size, int) for size in sizes):
                self._vectors[sizes] = self.known(np.array(sizes, np.int32))
            elif len(sizes) > 1:
                parts = [self._vector(run) for run in _runs(sizes)]
                self._vectors[sizes] = self.emit("CONCATENATION", parts, (len(sizes),), axis=0)
            else:
                self._vectors[sizes] = self._single(sizes[0])
        return self._vectors[sizes]

    def _single(self, size: Dim) -> Value:
        """Compute a vector with one size in it."""
        if isinstance(size, int):
            return self.known(np.array([size], np.int32))
        if size in self._origins:
            value, axis = self._origins[size]
            if value not in self._shapes:
                self._shapes[value] = self.emit("SHAPE", [value], (value.rank,), np.int32, outType=INT32)
            bounds = [self.known(np.array([bound], np.int32)) for bound in (axis, axis + 1, 1)]
            return self.emit("STRIDED_SLICE", [self._shapes[value], *bounds], (1,))
        parts = []
        for names, count in size.terms:
            factors = [self._vector((Size.symbol(name),)) for name in names]
            part = self.known(np.array([count], np.int32)) if count != 1 or not factors else factors.pop()
            for factor in factors:
                part = self.emit("MUL", [factor, part], (1,))
            parts.append(part)
        total = parts[0]
        for part in parts[1:]:
            total = self.emit("ADD", [total, part], (1,))
        return total


def _runs(sizes: tuple[Dim, ...]) -> list[tuple[Dim, ...]]:
    """Split into numbers that lie side by side, and single symbols."""
    runs: list[tuple[Dim, ...]] = []
    for size in sizes:
        if runs and isinstance(size, int) and isinstance(runs[-1][-1], int):
            runs[-1] = (*runs[-1], size)
        else:
            runs.append((size,))
    return runs
