"""The step that trains a new, smaller network from what the model, or several, would have answered."""

from __future__ import annotations

__all__ = ["Distil"]

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from edge_rec.compress.distil.start import started
from edge_rec.compress.distil.students import STUDENTS, new_student
from edge_rec.compress.options import check_number, check_whole, nearest, refuse_unknown
from edge_rec.compress.step import Outcome
from edge_rec.compress.tuning import short_training
from edge_rec.models import load_run, read_config
from edge_rec.training import FORMS, Distillation, finetune, teacher_outputs
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_rec.compress.step import Given
    from edge_rec.models import Model

STARTS = ("teacher", "drawn")


@dataclass(frozen=True, kw_only=True)
class Distil:
    """A student of any network of the zoo, trained with its own recipe and its teachers' answers after every event.

    Attributes:
        learn: What it learns, one of `edge_rec.training.FORMS`: ``knowledge``, ``ranking``, ``model`` or ``embedding``.
        student: A key of `STUDENTS`.
        options: Of the student, where they differ from its recipe: ``{dims = 32, blocks = 1}``.
        teachers: Run directories; the model that the step is given unless named. The answers of several are averaged.
        weight: Share of the loss that is the teachers', from 0, a student without a teacher, to 1.
        temperature: What logits are divided by; of ``knowledge`` alone.
        top: Items of a teacher's answer that are learnt from.
        start: ``teacher``: with the teachers' item vectors and the weights that fit; ``drawn``: from nothing.
        epochs: Passes over the users, and the length of the schedule; those of the student's recipe unless given.
        learning_rate: At its highest; that of the recipe unless given.
    """

    kind: ClassVar[str] = "distil"
    learn: str = "knowledge"
    student: str = "sasrec"
    options: Mapping[str, Any] = field(default_factory=dict)
    teachers: tuple[str, ...] = ()
    weight: float = 0.7
    temperature: float = 1.0
    top: int = 64
    start: str = "teacher"
    epochs: int | None = None
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        """Refuse options that mean nothing, or too much."""
        for name, known in (("learn", FORMS), ("student", tuple(STUDENTS)), ("start", STARTS)):
            value = getattr(self, name)
            if value not in known:
                raise CompressionError(f"distil: {name}={value!r} is not known; {nearest(str(value), known)}")
        if not isinstance(self.options, dict):
            raise CompressionError(f"distil: options={self.options!r} is not a table, like {{dims = 32, blocks = 1}}")
        refuse_unknown(f"distil: {self.student}", self.options, [one.name for one in fields(STUDENTS[self.student].Options)])
        if not isinstance(self.teachers, tuple) or not all(isinstance(one, str) and one for one in self.teachers):
            raise CompressionError(f"distil: teachers={self.teachers!r} is not a list of run directories")
        check_number("distil", "weight", self.weight, least=0)
        if self.weight > 1:
            raise CompressionError(f"distil: weight={self.weight!r}; expected a share from 0 to 1")
        check_number("distil", "temperature", self.temperature, above=0)
        if self.temperature != 1 and self.learn != "knowledge":
            raise CompressionError(f"distil: temperature={self.temperature!r} is of learn=knowledge, not of {self.learn}")
        check_whole("distil", "top", self.top)
        if self.epochs is not None:
            check_whole("distil", "epochs", self.epochs)
        if self.learning_rate is not None:
            check_number("distil", "learning_rate", self.learning_rate, above=0)

    @property
    def form(self) -> str:
        """Its word in the table of what composes with what."""
        return "distil"

    @property
    def needs_data(self) -> bool:
        """Whether it looks at the log."""
        return True

    def requires(self, model: Model) -> None:
        """Raise an EdgeRecError if a teacher is missing, or cannot answer for the items of the model."""
        for folder in self.teachers:
            read_config(Path(folder))
        for name, teacher in self._named(model):
            if teacher.source().kind == "ranker":
                raise CompressionError(f"distil: {name} ranks candidates that it is given; a teacher ranks the catalogue")
            if teacher.catalogue.ids != model.catalogue.ids:
                raise CompressionError(
                    f"distil: the teacher {name} has a catalogue of {len(teacher.catalogue)} items that is not the model's of "
                    f"{len(model.catalogue)}; teachers must be trained on the same log with the same filter"
                )

    def outline(self, model: Model, given: Given) -> Model | None:  # noqa: ARG002 - as the protocol has it
        """Return the student as it is drawn."""
        return new_student(self.student, self.options, given, given.data("distil")).model

    def run(self, model: Model, given: Given) -> Outcome:
        """Return the student; of the model nothing is left but what it taught."""
        self.requires(model)
        split = given.data("distil")
        drawn = new_student(self.student, self.options, given, split)
        teachers = [one for _, one in self._named(model)]
        begun = started(drawn.model, teachers) if self.start == "teacher" else None
        distillation = None
        if self.weight:
            outputs = teacher_outputs(teachers, split, folder=given.caches, top=self.top, progress=given.progress)
            distillation = Distillation(
                teacher=outputs,
                weight=self.weight,
                temperature=self.temperature,
                form=self.learn,  # type: ignore[arg-type]  # one of FORMS
            )
        training = short_training(
            drawn.model,
            split,
            dataset=given.dataset,
            seed=given.seed,
            epochs=self.epochs or drawn.usual.epochs,
            learning_rate=self.learning_rate or drawn.usual.learning_rate,
            full=self.weight > 0,
        )
        found = finetune(
            drawn.model if begun is None else begun.model,
            split,
            options=replace(training, evaluate_every=drawn.usual.evaluate_every),
            distillation=distillation,
            checkpoint=given.folder / "checkpoint.safetensors",
            progress=given.progress,
        )
        counts = [sum(value.size for value in one.weights().values()) for one in (model, found.model)]
        larger = f"the student has {counts[1]} weights, and the model had {counts[0]}"
        record = {
            "student": found.model.describe(),
            "teachers": list(self.teachers) or [model.name],
            "taken": [] if begun is None else list(begun.taken),
            "best_epoch": found.best_epoch,
            "epochs": found.epochs,
            "remarks": [*found.remarks, *([larger] if counts[1] >= counts[0] else [])],
        }
        return Outcome(model=found.model, record=record)

    def ensures(self, before: Model, after: Model) -> None:
        """Raise CompressionError if the new model is not the student, or has other items."""
        if after.name != self.student or after.catalogue.ids != before.catalogue.ids:
            raise CompressionError(
                f"distil: the new model is a {after.name} of {len(after.catalogue)} items; it must be a {self.student} of the "
                f"{len(before.catalogue)} that the model has"
            )

    def _named(self, model: Model) -> list[tuple[str, Model]]:
        """Return the teachers, and what to call them."""
        if not self.teachers:
            return [(model.name, model)]
        return [(folder, load_run(Path(folder))) for folder in self.teachers]
