"""The file while it is being written: how handlers add operators, and which value lies where."""

from __future__ import annotations

__all__ = ["Lowering"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_converters.targets.tflite._call import Rows, Value
from edge_rec_converters.targets.tflite._shapes import ShapeVectors
from edge_rec_converters.targets.tflite._sizes import Shape, Size
from edge_rec_converters.targets.tflite._writer import Writer
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

_HALF, _INT8_ROWS = 3, 5  # the versions of DEQUANTIZE that decode float16, and int8 with a scale a row
_TYPES = (np.float32, np.float16, np.int8, np.uint8, np.bool_)


class Lowering:
    """Adds operators to one subgraph of a file and remembers which value lies where.

    Args:
        writer: The file; a new one by default, whose main graph this is then.
    """

    def __init__(self, writer: Writer | None = None) -> None:
        self.writer = writer or Writer()
        self.subgraph = self.writer.subgraph()
        self._places: dict[Value, int] = {}
        self._constants: dict[tuple[str, tuple[int, ...], int], int] = {}
        self._sizes = ShapeVectors(self)

    def part(self) -> Lowering:
        """Return an empty subgraph of the same file, for the inside of a loop; `close` it when it is written."""
        return Lowering(self.writer)

    def input(self, name: str, shape: Shape, dtype: DTypeLike, stored: Sequence[int] | None = None) -> Value:
        """Add an input of the graph; ``stored`` are its sizes until it is resized, 1 for each open one by default."""
        return self._computed(Value(shape, np.dtype(dtype), name=name), stored)

    def known(self, values: ArrayLike, *, dtype: DTypeLike | None = None, name: str = "", half: bool = False) -> Value:
        """Return a value whose content is known; it takes no place in the file until an operator reads it.

        Args:
            values: Numbers, truth values, or an object array with sizes in it.
            dtype: float32, int32, int8 or bool; that of ``values`` by default, int32 for wider integers and sizes.
            name: Of a weight.
            half: The numbers are float16 ones, written as such and decoded when the engine loads.

        Raises:
            ConversionError: A type that the files have no room for, or an integer beyond 32 bits.
        """
        array = np.asarray(values, dtype=dtype)
        if array.dtype == object and not any(isinstance(item, Size) for item in array.flat):
            array = array.astype(np.bool_ if all(isinstance(item, bool) for item in array.flat) and array.size else np.int64)
        if array.dtype in (np.int64, np.int32, object):
            return Value(array.shape, np.dtype(np.int32), array, name)
        if array.dtype not in _TYPES:
            raise ConversionError(
                f"constant {name!r} is {array.dtype}; the TFLite target takes float32, float16, int32, int64, int8, uint8 "
                "and bool, so cast it in the model"
            )
        return Value(array.shape, array.dtype, array, name, half)

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
        dtypes: DTypeLike | Sequence[DTypeLike] | None = None,
        **options: Any,  # noqa: ANN401  # as in emit
    ) -> tuple[Value, ...]:
        """Add an operator with one result a shape, all of one type or each of its own; see `emit`."""
        if dtypes is None:
            dtypes = next(value.dtype for value in inputs if value is not None)
        each = dtypes if isinstance(dtypes, list) else [dtypes] * len(shapes)
        places = [-1 if value is None else self.place(value) for value in inputs]
        results = tuple(self._computed(Value(shape, np.dtype(dtype))) for shape, dtype in zip(shapes, each, strict=True))
        self.subgraph.operator(operator, places, [self._places[result] for result in results], **options)
        return results

    def place(self, value: Value) -> int:
        """Return the index of the value's tensor; a known value is written when it is first asked for."""
        if value not in self._places:
            if value.half:
                stored = self.halves(value)
                self._places[value] = self.place(self.emit("DEQUANTIZE", [stored], value.shape, np.float32, version=_HALF))
            elif value.rows is not None:
                self._places[value] = self.place(self._decoded(value, value.rows))
            elif value.steps is not None:
                self._places[value] = self.place(value.steps.collect())
            elif value.constant is not None:
                self._places[value] = self._constant(value.constant, value.name)
            elif value.known is not None:
                self._places[value] = self.place(self._sizes.computed(value.known))
            else:  # pragma: no cover  # every computed value gets its place when it is made
                raise AssertionError(value)
        return self._places[value]

    def _decoded(self, value: Value, rows: Rows) -> Value:
        codes = self.quantised(self.known(rows.codes, name=value.name), rows.scales)
        decoded = self.emit("DEQUANTIZE", [codes], rows.codes.shape, np.float32, version=_INT8_ROWS)
        if value.shape == decoded.shape:
            return decoded
        return self.emit("RESHAPE", [decoded, self.known(np.array(value.shape, np.int32))], value.shape)

    def halves(self, value: Value) -> Value:
        """Return the float16 numbers that a value with ``half`` stands for."""
        return self.known(np.asarray(value.constant, np.float16), name=value.name)

    def quantised(self, codes: Value, scales: NDArray[np.float32], *, bits: int = 8) -> Value:
        """Return int8 codes [rows, width] as a tensor that carries scales, [rows] or [1] float32.

        Args:
            codes: A constant.
            scales: One a row, or one for all.
            bits: Of a code in the file: 8, 4 or 2.

        Raises:
            ConversionError: The codes are no constant.
        """
        if codes.constant is None:
            raise ConversionError("int8 codes are computed while the model runs; they have to be constants")
        value = Value(codes.shape, codes.dtype, name=codes.name)
        self._places[value] = self.subgraph.constant(codes.constant, scales=scales, bits=bits, name=codes.name)
        return value

    def close(self, inputs: Sequence[Value], outputs: Sequence[Value]) -> int:
        """Say what goes in and out of a part of the file, and return its index."""
        self.subgraph.close([self.place(value) for value in inputs], [self.place(value) for value in outputs])
        return self.subgraph.index

    def sign(self, key: str, *, inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> None:
        """Say what goes in and out of the graph, and by which word it is asked for."""
        named = {name: self._named(value, name) for name, value in outputs.items()}
        self.writer.sign(key, self.subgraph, inputs={name: self.place(value) for name, value in inputs.items()}, outputs=named)

    def _named(self, value: Value, name: str) -> int:
        """Return a tensor that carries the output's name; an input or a weight that is also an output is copied."""
        if value.known is not None or value.name:
            value = self.emit("RESHAPE", [value, self.known(np.array(value.shape, object))], value.shape)
        place = self.place(value)
        self.subgraph.rename(place, name)
        return place

    def _computed(self, value: Value, stored: Sequence[int] | None = None) -> Value:
        shape = [None if isinstance(size, Size) else size for size in value.shape]
        self._places[value] = self.subgraph.tensor(shape, value.dtype, name=value.name, stored=stored)
        self._sizes.learn(value)
        return value

    def _constant(self, array: NDArray[Any], name: str) -> int:
        if array.dtype == np.int64:
            narrow = array.astype(np.int32)
            if not np.array_equal(narrow, array):
                raise ConversionError(f"constant {name!r} holds {array.flat[np.argmax(narrow != array)]}, more than 32 bits can")
            array = narrow
        key = (array.dtype.str, array.shape, self.writer.buffer(array))
        if key not in self._constants:
            self._constants[key] = self.subgraph.constant(array, name=name)
        return self._constants[key]
