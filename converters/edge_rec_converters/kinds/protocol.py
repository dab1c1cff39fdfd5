"""What a kind of model does on its way to a bundle."""

from __future__ import annotations

__all__ = ["Evidence", "Kind", "Order", "Prepared", "Request"]

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from edge_rec_runtime.errors import ConversionError, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from edge_rec_converters.examples import Examples
    from edge_rec_converters.protocol import Source
    from edge_rec_converters.verification import Verification
    from edge_rec_runtime import BundleContents, History, Precision, Progress

Request: TypeAlias = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a model is judged by, and what codes and ranges are fitted to; the same where there is only one of them.

    Attributes:
        histories: Held-out histories.
        examples: Held-out examples, which rankers take in the place of histories.
        calibration: Histories or examples to fit to; what the model is judged by unless given.
        seed: Draws the samples where there are more than are needed.
    """

    histories: Sequence[History] = field(default=())
    examples: Examples | None = None
    calibration: Sequence[History] | Examples | None = None
    seed: int = 0

    def of_histories(self, name: str) -> tuple[Sequence[History], Sequence[History]]:
        """Return the histories that a model is judged by, and those that it is fitted to.

        Raises:
            DataError: Examples were given, or nothing was.
        """
        if self.examples is not None or _is_examples(self.calibration):
            raise DataError(f"{name} recommends from histories and examples were given; give histories, examples are for rankers")
        if not self.histories:
            raise DataError(f"{name}: there are no histories; a bundle is judged by some that the model was not trained on")
        return self.histories, self.histories if self.calibration is None else self.calibration  # type: ignore[return-value]

    def of_examples(self, name: str) -> tuple[Examples, Examples]:
        """Return the examples that a ranker is judged by, and those that it is fitted to.

        Raises:
            DataError: Histories were given, or nothing was.
        """
        if self.examples is None or not (self.calibration is None or _is_examples(self.calibration)):
            raise DataError(f"{name} is a ranker, which is judged by and fitted to examples; give examples=, not histories")
        return self.examples, self.examples if self.calibration is None else self.calibration  # type: ignore[return-value]


def _is_examples(value: object) -> bool:
    return hasattr(value, "labels")


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a model shall become.

    Attributes:
        target: ``onnx`` or ``tflite``.
        precision: What the bundle's parts are stored and computed in.
        layers: Pattern of weight names -> network precision of these weights; the first that matches counts.
        incremental: The encoder shall also go on from what it remembers, event by event.
        shadow: Whether the item table gets one, ``yes``, ``no``, or ``auto`` for where it pays.
        graph: ``retriever`` where the bundle shall also hold the whole retriever as one graph, for apps without the runtime.
        graph_k: Items that an answer of that graph holds; all of them where there are fewer.
    """

    target: str
    precision: Precision
    layers: Mapping[str, str] = field(default_factory=dict)
    incremental: bool = False
    shadow: str = "auto"
    graph: str | None = None
    graph_k: int = 100

    def __post_init__(self) -> None:
        """Refuse a graph that is not known, and answers without an item.

        Raises:
            ConversionError: It is one.
        """
        if self.graph not in {None, "retriever"}:
            raise ConversionError(f"graph {self.graph!r} is not known; use 'retriever', or leave it out")
        if self.graph_k < 1:
            raise ConversionError(f"graph_k is {self.graph_k}; an answer of a retriever graph holds at least 1 item")

    def refuse_graph(self, name: str, why: str) -> None:
        """Refuse a retriever graph of a model of another kind.

        Raises:
            ConversionError: It was asked for.
        """
        if self.graph is not None:
            raise ConversionError(f"{name} is {why}; convert it without --graph")

    def refuse_incremental(self, name: str, what: str) -> None:
        """Refuse to make a model incremental that is of a kind without an encoder.

        Raises:
            ConversionError: It was asked for.
        """
        if self.incremental:
            raise ConversionError(f"{name} is {what}, and cannot go on from what it remembers; convert it without --incremental")

    def refuse_shadow(self, name: str, what: str) -> None:
        """Refuse a shadow for a kind of model without an item table.

        Raises:
            ConversionError: It was asked for.
        """
        if self.shadow not in {"auto", "no"}:
            raise ConversionError(f"{name} is {what}, and has no item table for a shadow; convert it without --shadow")


@runtime_checkable
class Prepared(Protocol):
    """A source that passed the door, with its own answers, ready for any target and precision."""

    @property
    def source(self) -> Source:
        """The source."""

    @property
    def sha256(self) -> str:
        """Hex digest of everything that the source's answers depend on."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of the evidence, a sentence each: how much of it is unknown to the catalogue."""

    @property
    def has_graph(self) -> bool:
        """Whether its bundles hold a graph, and so differ from target to target."""

    def require(self, order: Order) -> None:
        """Raise ConversionError where a target or precision is not one for this model; before any work."""

    def gate(self, precision: Precision) -> float:
        """Return the gate that bundles of a precision must pass unless another is asked for."""

    def drafts(self, order: Order) -> list[BundleContents]:
        """Return what the bundle may hold: one draft for each network that the precision may stand for, the fastest first.

        Raises:
            ConversionError: The model cannot be expressed for the target and precision.
        """

    def complete(self, draft: BundleContents, order: Order) -> BundleContents:
        """Return the draft that was chosen with what else was asked for, on which no choice depends.

        Raises:
            ConversionError: A part of the model has no form in it.
        """

    def measure(self, bundle: Path, *, on: Literal["fit", "test"], gate: float, progress: Progress) -> Verification:
        """Compare a bundle with the source, on what it was fitted to or on what it is judged by."""

    def requests(self, bundle: Path) -> AbstractContextManager[Sequence[Request]]:
        """Open a bundle; what is given is the same few real requests for every bundle, each a function to be timed."""


class Kind(Protocol):
    """A module of this package."""

    def prepare(self, source: Any, evidence: Evidence, *, targets: Sequence[str], progress: Progress) -> Prepared:  # noqa: ANN401 - each kind has its own
        """Check a source, export its network, and run it on the evidence.

        Raises:
            ModelError: The source is not what the protocol asks for.
            ConversionError: Its network has no ONNX form, or none for one of the targets.
            DataError: The evidence is not of this kind, or not of this model.
        """
