"""What an engine must do for the runtime."""

from __future__ import annotations

__all__ = ["Backend", "Graph", "Signature", "first_line"]

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, Self

from edge_rec_runtime.bundle.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from edge_rec_runtime.bundle import Manifest
    from edge_rec_runtime.state import StatePart


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What goes into a graph and what comes out.

    Attributes:
        graph: What the graph is called in messages, ``encoder`` or ``ranker``.
        inputs: For each input its dtype, ``float32`` or ``int32``.
        output: The output, which is float32.
        state: What the graph takes and gives of a state besides, float32.
    """

    graph: str
    inputs: Mapping[str, str]
    output: str
    state: tuple[StatePart, ...] = ()

    @property
    def outputs(self) -> tuple[str, ...]:
        """All outputs, `output` first."""
        return (self.output, *(part.output for part in self.state))

    @classmethod
    def of_steps(cls, state: tuple[StatePart, ...]) -> Self:
        """Return what a graph must have that goes on from a state."""
        past = ("past",) if any(part.per_event for part in state) else ()
        names = ("vectors", *past, *(part.name for part in state))
        return cls(graph="step", inputs=dict.fromkeys(names, "float32"), output="query", state=state)

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """Return what the graphs of a bundle must have."""
        graph = KINDS[manifest.kind].graph or "graph"
        inputs = {} if graph == "ranker" else {"vectors": "float32", "mask": "float32"}
        inputs |= {entry.name: "float32" if entry.kind == "number" else "int32" for entry in manifest.features}
        return cls(graph=graph, inputs=inputs, output="logit" if graph == "ranker" else "query")

    def misfit(self, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> str:
        """Return in a sentence how a graph's inputs and outputs, dtypes by name, differ from these, or an empty text."""
        wanted = dict.fromkeys(self.outputs, "float32")
        if inputs == self.inputs and wanted.items() <= outputs.items():
            return ""
        return (
            f"the {self.graph} has the inputs {_listed(inputs)} and outputs {_listed(outputs)}; "
            f"expected {_listed(self.inputs)} and {_listed(wanted)}, convert the model again"
        )


class Graph(Protocol):
    """A loaded graph; may be called from several threads.

    Attributes:
        backend: The key of the backend that loaded it.
        plans_shapes: Whether a shape that differs from the last one's costs more than the work on it.
    """

    backend: str
    plans_shapes: bool

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Run the graph.

        Args:
            inputs: For each input of the signature an array of its dtype, contiguous; the first axis is the batch.

        Returns:
            The output, a copy, as the engine gives it.

        Raises:
            BackendError: The engine fails.
        """

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Run the graph as `__call__` does, and return all outputs in the signature's order."""

    def close(self) -> None:
        """Let go of the engine's memory."""


class Backend(Protocol):
    """An engine that may be installed.

    Attributes:
        target: The graphs that it runs, ``onnx`` or ``tflite``.
        package: The package that must be installed, by its import name.
        extra: The extra of ``edge-rec`` that brings it.
        steps: Whether it runs graphs that go on from a state.
    """

    target: str
    package: str
    extra: str
    steps: bool

    def load(
        self, graph: bytes, signature: Signature, *, where: Path, threads: int, files: Mapping[str, bytes] = MappingProxyType({})
    ) -> Graph:
        """Load a graph.

        Args:
            graph: The graph as the target writes it.
            signature: What it must take and give.
            where: The bundle, for messages.
            threads: Threads that the engine may use.
            files: By name what the graph says that its weights lie in, outside of it.

        Raises:
            BackendError: The engine is missing or cannot run the graph, or its inputs are others.
        """


def first_line(error: Exception) -> str:
    """Return the first line of what an engine says, at most 200 characters."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _listed(tensors: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({dtype})" for name, dtype in tensors.items()) or "none"
