"""What every compression step can do: from a trained model to a smaller one, with a record of what happened."""

from __future__ import annotations

__all__ = ["Given", "Outcome", "Step"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from edge_rec_runtime import Progress, silent
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edge_rec.data import Split
    from edge_rec.models import Model
    from edge_rec_runtime import Catalogue


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a step works with besides the model.

    Attributes:
        split: The log that the model was trained on, or None; its test part is never looked at.
        dataset: Its name, for recipes that depend on it.
        catalogue: The items, in row order.
        seed: Of every random choice.
        folder: For the step's own checkpoints. It may hold those of an interrupted run, which is then gone on with.
        caches: For what several steps of a recipe can use, such as a teacher's outputs; ``folder`` unless given.
        teacher: The model that a student or a fine-tune may learn from; the one that the recipe started with unless given.
        progress: Told about each step.
    """

    split: Split | None
    dataset: str
    catalogue: Catalogue
    seed: int
    folder: Path
    caches: Path = None  # type: ignore[assignment]  # `folder` until it is set below
    teacher: Model | None = None
    progress: Progress = silent

    def __post_init__(self) -> None:
        """Keep caches with the checkpoints where they have no folder of their own."""
        if self.caches is None:
            object.__setattr__(self, "caches", self.folder)

    def data(self, what: str) -> Split:
        """Return the log.

        Args:
            what: What needs it, for the message: ``prune:criterion=gradient``.

        Raises:
            DataError: None was given.
        """
        if self.split is None:
            raise DataError(f"{what} looks at data, and none was given; name the log of the training with --dataset")
        return self.split


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a step made.

    Attributes:
        model: A new model; the one that was given is as it was.
        record: What happened, fit for JSON: epochs, losses, ranks, ratios a layer, and under ``remarks`` sentences for
            people, such as that a fine-tune diverged and which epoch was kept.
    """

    model: Model
    record: Mapping[str, Any] = field(default_factory=dict)


class Step(Protocol):
    """One compression step: a frozen dataclass whose keyword-only fields are its options, refused where they mean nothing.

    Attributes:
        kind: Its key in `STEPS`.
    """

    kind: ClassVar[str]

    @property
    def form(self) -> str:
        """Its word in the table of what composes with what: ``prune:weights``, ``factorise:items``."""

    @property
    def needs_data(self) -> bool:
        """Whether it looks at the log."""

    def requires(self, model: Model) -> None:
        """Raise CompressionError if the step cannot do anything with the model."""

    def outline(self, model: Model, given: Given) -> Model | None:
        """Return a model of the form that the step would leave, for what comes after it to be asked whether it can be taken.

        Its values mean nothing: nothing is trained, and no event is looked at. None where the form depends on them.

        Args:
            model: As the step would get it, in form.
            given: Of the step; its folders are not there yet.

        Raises:
            EdgeRecError: The step cannot be taken.
        """

    def run(self, model: Model, given: Given) -> Outcome:
        """Return a new model and what happened; ``model`` is left as it was."""

    def ensures(self, before: Model, after: Model) -> None:
        """Raise CompressionError if ``after`` is not what the step promises to make of ``before``."""
