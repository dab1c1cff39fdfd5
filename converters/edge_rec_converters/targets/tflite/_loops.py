"""A loop over the steps of sequences: WHILE with a condition and a body, each a subgraph of its own.

The state passes from step to step, the sequences are read one step at a time, and the results of all steps can be collected. The
number of steps and the batch stay open; a loop keeps every shape, so the engine plans the memory of all steps once.
"""

from __future__ import annotations

__all__ = ["Step", "scan"]

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from edge_rec_converters.targets.tflite.ops.elementwise import binary
from edge_rec_converters.targets.tflite.ops.gathering import gather
from edge_rec_converters.targets.tflite.ops.reshaping import fill, reshape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_rec_converters.targets.tflite._call import Value
    from edge_rec_converters.targets.tflite._lowering import Lowering

Step: TypeAlias = "Callable[[Lowering, Sequence[Value], Sequence[Value]], Sequence[Value]]"


def scan(
    graph: Lowering, step: Step, *, sequences: Sequence[Value], state: Sequence[Value], collect: bool, backwards: bool = False
) -> tuple[Sequence[Value], Value | None]:
    """Run a step for each place on the first axis of some sequences.

    Args:
        graph: Where the loop stands.
        step: Takes the body's graph, one slice [...] of each sequence, and the state; returns the state after the step.
        sequences: [length, ...] each.
        state: What the first step starts from.
        collect: Keep the first part of the state after each step.
        backwards: Begin with the last place.

    Returns:
        The state after the last step and, with ``collect``, [length, ...] of the first part's shape, in the order of the
        sequences.
    """
    length = sequences[0].shape[0]
    carried = [graph.known(np.array(0, np.int32)), graph.known(np.array(length, object)), *sequences, *state]
    if collect:
        carried.append(fill(graph, (length, *state[0].shape), 0, np.float32))
    condition, body = graph.part(), graph.part()
    count, limit, *_ = seen = _inputs(condition, carried)
    ready = condition.close(seen, [condition.emit("LESS", [count, limit], (), np.bool_)])

    count, limit, *rest = seen = _inputs(body, carried)
    steps, rest = rest[: len(sequences)], rest[len(sequences) :]
    one = body.known(np.array(1, np.int32))
    following = binary(body, "ADD", count, one)
    place = binary(body, "SUB", limit, following) if backwards else count
    after = list(step(body, [gather(body, one, place) for one in steps], rest[: len(state)]))
    results = [following, limit, *steps, *after]
    if collect:
        results.append(_stored(body, rest[-1], after[0], place))
    done = graph.emit_all(
        "WHILE",
        carried,
        [value.shape for value in carried],
        [value.dtype for value in carried],
        condSubgraphIndex=ready,
        bodySubgraphIndex=body.close(seen, results),
    )
    first = 2 + len(sequences)
    return done[first : first + len(state)], done[-1] if collect else None


def _inputs(part: Lowering, carried: Sequence[Value]) -> list[Value]:
    return [part.input("", value.shape, value.dtype) for value in carried]


def _stored(body: Lowering, kept: Value, value: Value, place: Value) -> Value:
    """Write a value into its place on the first axis."""
    start = [reshape(body, place, (1,)), body.known(np.zeros(value.rank, np.int32))]
    index = body.emit("CONCATENATION", start, (kept.rank,), axis=0)
    return body.emit("DYNAMIC_UPDATE_SLICE", [kept, reshape(body, value, (1, *value.shape)), index], kept.shape)
