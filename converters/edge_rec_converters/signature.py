"""What goes into a model's graph and what comes out, by kind: the same for a module that is exported and a file that is read."""

from __future__ import annotations

__all__ = ["Port", "Signature", "signature", "step_signature"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import onnx_ir as ir

from edge_rec_converters.protocol import RankerSource, RetrieverSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_rec_runtime.features import Feature
    from edge_rec_runtime.state import StatePart

_BATCH = "batch"
_MOST_ROWS = 4096


@dataclass(frozen=True)
class Port:
    """One input or output.

    Attributes:
        name: Its name in the graph.
        dtype: FLOAT or INT32.
        axes: The name of an open axis, or the size of a fixed one.
    """

    name: str
    dtype: ir.DataType
    axes: tuple[str | int, ...]

    def __str__(self) -> str:
        """Return it as a sentence shows it: ``vectors [batch, length, 64] float32``."""
        return f"{self.name} [{', '.join(map(str, self.axes))}] {'float32' if self.dtype == ir.DataType.FLOAT else 'int32'}"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """All of a graph's ports.

    Attributes:
        model: The model's name, for sentences.
        inputs: In the order of the module's arguments.
        output: What the model is for.
        longest: The largest size of each open axis.
        further: What else comes out.
    """

    model: str
    inputs: tuple[Port, ...]
    output: Port
    longest: Mapping[str, int]
    further: tuple[Port, ...] = ()

    @property
    def outputs(self) -> tuple[Port, ...]:
        """All that comes out, `output` first."""
        return (self.output, *self.further)

    def __str__(self) -> str:
        """Return ``inputs ..., and the output ...``."""
        what = "outputs" if self.further else "output"
        return f"the inputs {', '.join(map(str, self.inputs))}, and the {what} {', '.join(map(str, self.outputs))}"


def signature(source: RetrieverSource | RankerSource) -> Signature:
    """Return the signature that a source's graph must have."""
    if isinstance(source, RankerSource):
        ports = tuple(_port(feature) for feature in source.features)
        output = Port("logit", ir.DataType.FLOAT, (_BATCH,))
        return Signature(model=source.name, inputs=ports, output=output, longest=_longest(source.features))
    dims, length = source.item_table.shape[1], _open("length", source.max_length)
    context = tuple(_port(feature) for feature in source.context)
    return Signature(
        model=source.name,
        inputs=(
            Port("vectors", ir.DataType.FLOAT, (_BATCH, length, dims)),
            Port("mask", ir.DataType.FLOAT, (_BATCH, length)),
            *context,
        ),
        output=Port("query", ir.DataType.FLOAT, (_BATCH, dims)),
        longest={**_longest(source.context), "length": source.max_length},
    )


def step_signature(source: RetrieverSource, state: Sequence[StatePart]) -> Signature:
    """Return the signature of the graph by which a source's encoder goes on from a state; a device asks it for one history."""
    dims, past, new = source.item_table.shape[1], _open("past_length", source.max_length), _open("new", source.max_length)
    growing = any(part.per_event for part in state)
    marks = (Port("past", ir.DataType.FLOAT, (1, past)),) if growing else ()
    return Signature(
        model=source.name,
        inputs=(
            Port("vectors", ir.DataType.FLOAT, (1, new, dims)),
            *marks,
            *(_state_port(part.name, part, past) for part in state),
        ),
        output=Port("query", ir.DataType.FLOAT, (1, dims)),
        longest={"past_length": source.max_length, "new": source.max_length},
        further=tuple(_state_port(part.output, part, new) for part in state),
    )


def _state_port(name: str, part: StatePart, length: str | int) -> Port:
    return Port(name, ir.DataType.FLOAT, (1, length, part.width) if part.per_event else (1, part.width))


def _port(feature: Feature) -> Port:
    if feature.kind == "number":
        return Port(feature.name, ir.DataType.FLOAT, (_BATCH,))
    axes = (_BATCH, _open(_axis(feature), feature.longest)) if feature.kind == "categories" else (_BATCH,)
    return Port(feature.name, ir.DataType.INT32, axes)


def _axis(feature: Feature) -> str:
    """Name an axis of lengths. Each list has its own: lists are fed as long as they are, so a network cannot join two."""
    return f"{feature.name}_length"


def _open(axis: str, longest: int) -> str | int:
    return axis if longest > 1 else 1


def _longest(features: tuple[Feature, ...]) -> dict[str, int]:
    lists = {_axis(feature): feature.longest for feature in features if feature.kind == "categories" and feature.longest > 1}
    return {_BATCH: _MOST_ROWS, **lists}
