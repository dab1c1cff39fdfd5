"""GRU, LSTM and RNN: the products with the input in one layer for all steps, the rest in a loop.

Fifty steps of a GRU at batch 1, one thread: unrolled they would take 2.1 times as long at 64 units and 4.2 at 128, and ONNX
Runtime's own GRU takes 1.0 and 1.3 times as long (``python benchmarks/tflite_forms.py --only loops``). Weights that the dialect
stores as int8 rows are decoded once, when the engine loads, so that a state is never rounded.
"""

from __future__ import annotations

__all__ = ["OPS"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.targets.tflite._call import Rows, Value
from edge_rec_converters.targets.tflite._loops import Step, scan
from edge_rec_converters.targets.tflite._sizes import Size
from edge_rec_converters.targets.tflite._steps import Steps
from edge_rec_converters.targets.tflite.ops.elementwise import binary, unary
from edge_rec_converters.targets.tflite.ops.joining import concat, split
from edge_rec_converters.targets.tflite.ops.matmul import dense
from edge_rec_converters.targets.tflite.ops.reshaping import fill, reshape
from edge_rec_converters.targets.tflite.ops.slicing import take_one

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge_rec_converters.targets.tflite._call import Call
    from edge_rec_converters.targets.tflite._lowering import Lowering

# The loops of each direction, and whether they run backwards.
_DIRECTIONS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}


@dataclass(frozen=True)
class _Cell:
    """One direction of a recurrence, its gates of ``units`` rows in ONNX's order.

    Attributes:
        call: The node, with W [directions, gates units, I], R [directions, gates units, units] and B.
        number: Which of the directions.
        units: Width of the state.
        given: [gates units] float32, the bias of the product with the input.
        own: The same for the product with the state.
    """

    call: Call
    number: int
    units: int
    given: NDArray[np.float32]
    own: NDArray[np.float32]

    def weight(self, position: int, first: int = 0, count: int | None = None) -> Value:
        """Return the rows of some gates, all by default, of W (1) or R (2), as they stand in the file."""
        value = self.call[position]
        begin = self.units * first
        end = len(self.given) if count is None else begin + self.units * count
        if value.rows is not None:
            rows = slice(self.number * len(self.given) + begin, self.number * len(self.given) + end)
            part = Rows(np.ascontiguousarray(value.rows.codes[rows]), value.rows.scales[rows])
            return Value(part.codes.shape, value.dtype, name=value.name, rows=part)
        numbers = self.call.constant(position, "the weight")[self.number, begin:end]
        return Value(numbers.shape, value.dtype, np.ascontiguousarray(numbers), value.name, value.half)


@dataclass(frozen=True)
class _Kind:
    """What tells one recurrence from another.

    Attributes:
        activations: In ONNX's order, with all that have a form here.
        states: How many tensors pass from step to step.
        step: Returns the bias of the product with the input, and the step.
    """

    activations: Sequence[Sequence[str]]
    states: int
    step: Callable[[_Cell], tuple[NDArray[np.float32], Step]]


def _gru(cell: _Cell) -> tuple[NDArray[np.float32], Step]:
    """z, r, h: state = (1 - z) tanh(...) + z state, with the reset gate before or after the product."""
    units, after = cell.units, bool(cell.call.attributes.get("linear_before_reset", 0))
    bias = cell.given + cell.own
    if after:
        bias[2 * units :] = cell.given[2 * units :]
    gates, candidate = cell.weight(2, 0, 2), cell.weight(2, 2, 1)

    def step(body: Lowering, given: Sequence[Value], state: Sequence[Value]) -> Sequence[Value]:
        (x,), (before,) = given, state
        gates_of_x, fresh = split(body, x, 1, (2 * units, units))
        opened = unary(body, "LOGISTIC", binary(body, "ADD", gates_of_x, dense(body, before, gates, None)))
        update, reset = split(body, opened, 1, (units, units))
        if after:
            recalled = dense(body, before, candidate, body.known(cell.own[2 * units :]))
            recalled = binary(body, "MUL", reset, recalled)
        else:
            recalled = dense(body, binary(body, "MUL", reset, before), candidate, None)
        fresh = unary(body, "TANH", binary(body, "ADD", fresh, recalled))
        return [binary(body, "ADD", fresh, binary(body, "MUL", update, binary(body, "SUB", before, fresh)))]

    return bias, step


def _lstm(cell: _Cell) -> tuple[NDArray[np.float32], Step]:
    """i, o, f, c: memory = f memory + i tanh(c), state = o tanh(memory)."""
    units, weight = cell.units, cell.weight(2)

    def step(body: Lowering, given: Sequence[Value], state: Sequence[Value]) -> Sequence[Value]:
        (x,), (before, memory) = given, state
        gates, fresh = split(body, binary(body, "ADD", x, dense(body, before, weight, None)), 1, (3 * units, units))
        write, read, keep = split(body, unary(body, "LOGISTIC", gates), 1, (units, units, units))
        written = binary(body, "MUL", write, unary(body, "TANH", fresh))
        memory = binary(body, "ADD", binary(body, "MUL", keep, memory), written)
        return [binary(body, "MUL", read, unary(body, "TANH", memory)), memory]

    return cell.given + cell.own, step


def _rnn(cell: _Cell) -> tuple[NDArray[np.float32], Step]:
    """State = activation(x + R state)."""
    weight = cell.weight(2)
    activation = {"Tanh": "TANH", "Relu": "RELU"}[_activations(cell.call, ["Tanh"])[cell.number]]

    def step(body: Lowering, given: Sequence[Value], state: Sequence[Value]) -> Sequence[Value]:
        return [unary(body, activation, binary(body, "ADD", given[0], dense(body, state[0], weight, None)))]

    return cell.given + cell.own, step


def _recurrence(kind: _Kind) -> Callable[[Lowering, Call], tuple[Value | None, ...]]:
    def handler(graph: Lowering, call: Call) -> tuple[Value | None, ...]:
        _check(call, kind)
        if call.summed and call.attributes.get("direction", "forward") != "bidirectional":
            return (_noted(graph, call, kind),)
        every, last = [], []
        for number, backwards in enumerate(_DIRECTIONS[call.attributes.get("direction", "forward")]):
            x, step, state = _parts(graph, call, kind, number)
            after, steps = scan(graph, step, sequences=[x], state=state, collect=call.used[0], backwards=backwards)
            last.append(after)
            every.append(steps)
        collected = None if every[0] is None else concat(graph, [_on_axis(graph, steps, 1) for steps in every if steps], 1)
        ends = [concat(graph, [_on_axis(graph, end, 0) for end in parts], 0) for parts in zip(*last, strict=True)]
        return (collected, *ends)

    return handler


def _parts(graph: Lowering, call: Call, kind: _Kind, number: int) -> tuple[Value, Step, list[Value]]:
    """Return one direction's product with the input, its step, and what the first step starts from."""
    cell = _cell(call, number)
    bias, step = kind.step(cell)
    x = dense(graph, call[0], cell.weight(1), graph.known(bias))
    return x, step, [_initial(graph, call, 5 + place, cell) for place in range(kind.states)]


def _noted(graph: Lowering, call: Call, kind: _Kind) -> Value:
    """Return the states of one direction, [length, 1, batch, units], for a reader that wants their weighted sum."""
    (backwards,) = _DIRECTIONS[call.attributes.get("direction", "forward")]

    def collect() -> Value:
        x, step, state = _parts(graph, call, kind, 0)
        _, every = scan(graph, step, sequences=[x], state=state, collect=True, backwards=backwards)
        if every is None:
            raise call.error("its loop kept no states")
        return _on_axis(graph, every, 1)

    def total(weights: Value) -> Value:
        x, step, state = _parts(graph, call, kind, 0)

        def adding(body: Lowering, given: Sequence[Value], before: Sequence[Value]) -> Sequence[Value]:
            (x, weight), (*states, so_far) = given, before
            after = step(body, [x], states)
            return [*after, binary(body, "ADD", so_far, binary(body, "MUL", after[0], weight))]

        start = fill(graph, state[0].shape, 0, np.float32)
        after, _ = scan(graph, adding, sequences=[x, weights], state=[*state, start], collect=False, backwards=backwards)
        return after[-1]

    return Value(
        (call[0].shape[0], 1, call[0].shape[1], _cell(call, 0).units),
        np.dtype(np.float32),
        steps=Steps(collect=collect, total=total),
    )


def _check(call: Call, kind: _Kind) -> None:
    """Refuse what a loop here does not do, rather than leave it out."""
    if call.attributes.get("direction", "forward") not in _DIRECTIONS:
        raise call.error(f"direction={call.attributes['direction']!r} is not known")
    if call.optional(4) is not None:
        raise call.error("lengths of its own for each sequence have no TFLite form here; pad after the end and mask the results")
    if call.attributes.get("layout", 0) or call.attributes.get("clip", 0) or call.attributes.get("input_forget", 0):
        raise call.error("layout, clip and input_forget have no TFLite form here; leave them at 0")
    if call.optional(7) is not None:
        raise call.error("peepholes have no TFLite form here; leave them out")
    default = [names[0] for names in kind.activations]
    found = _activations(call, default)
    if len(found) % len(default) or any(name not in kind.activations[place % len(default)] for place, name in enumerate(found)):
        raise call.error(f"the activations {', '.join(found)} have no TFLite form here; use {', '.join(default)}")
    if call[0].rank != 3 or any(isinstance(size, Size) for size in (call[0].shape[2], *call[1].shape, *call[2].shape)):
        raise call.error("it takes [length, batch, width] with a fixed width, and weights of a fixed shape")


def _activations(call: Call, default: Sequence[str]) -> list[str]:
    directions = len(_DIRECTIONS[call.attributes.get("direction", "forward")])
    return list(call.attributes.get("activations") or [*default] * directions)


def _cell(call: Call, number: int) -> _Cell:
    rows, units = call[2].shape[1:]
    if isinstance(rows, Size) or isinstance(units, Size):
        raise call.error("its weights have no fixed shape")
    if call.optional(3) is None:
        nothing = np.zeros(rows, np.float32)
        return _Cell(call, number, units, nothing, nothing)
    given, own = np.split(call.constant(3, "the bias")[number], 2)
    return _Cell(call, number, units, given, own)


def _initial(graph: Lowering, call: Call, position: int, cell: _Cell) -> Value:
    """Return what the first step starts from, [batch, units]."""
    given = call.optional(position)
    if given is None:
        return fill(graph, (call[0].shape[1], cell.units), 0, np.float32)
    return take_one(graph, given, 0, cell.number) if given.shape[0] != 1 else reshape(graph, given, given.shape[1:])


def _on_axis(graph: Lowering, x: Value, axis: int) -> Value:
    """Return ``x`` with a new axis, that of the directions."""
    return reshape(graph, x, (*x.shape[:axis], 1, *x.shape[axis:]))


OPS: dict[str, Callable[[Lowering, Call], tuple[Value | None, ...]]] = {
    "GRU": _recurrence(_Kind([("Sigmoid",), ("Tanh",)], 1, _gru)),
    "LSTM": _recurrence(_Kind([("Sigmoid",), ("Tanh",), ("Tanh",)], 2, _lstm)),
    "RNN": _recurrence(_Kind([("Tanh", "Relu")], 1, _rnn)),
}
