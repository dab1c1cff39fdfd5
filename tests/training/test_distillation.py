"""A student comes nearer to its teacher by every form of distillation, and what cannot be learnt from is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_rec.data import Dataset, Split, leave_one_out
from edge_rec.metrics import held_out
from edge_rec.models import Popularity, SASRec, SASRecOptions
from edge_rec.training import FORMS, Distillation, TeacherOutputs, TrainingOptions, finetune, teacher_outputs
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_rec.training.distillation import Form

OPTIONS = TrainingOptions(epochs=40, batch_users=16, warmup_steps=4, averaging=0.5, learning_rate=0.03, evaluate_every=40)


@pytest.fixture
def split(circle: Callable[..., Dataset]) -> Split:
    """Return 32 users who walk 8 steps of the circle."""
    return leave_one_out(circle(users=32, events=8).interactions)


@pytest.fixture
def teacher(split: Split) -> SASRec:
    """Return a network with clear opinions that the log does not teach."""
    shape = SASRecOptions(dims=8, blocks=1, heads=2, feed_forward=8, max_length=24, dropout=0.0, recency=1.0)
    model = SASRec(shape, Catalogue(split.item_ids), seed=7)
    return model.with_weights({"table": model.weights()["table"] * 40})


@pytest.fixture
def outputs(teacher: SASRec, split: Split, tmp_path: Path) -> TeacherOutputs:
    """Return what the teacher says."""
    return teacher_outputs([teacher], split, folder=tmp_path)


def _alike(student: SASRec, teacher: SASRec, split: Split) -> float:
    """Return the share of the teacher's best three items that are the student's."""
    lists = [held_out(one.source(), split.train, split.validation, k=3).top for one in (student, teacher)]
    return float(np.mean([len(set(a) & set(b)) / 3 for a, b in zip(*lists, strict=True)]))


def _cosines(model: SASRec) -> np.ndarray[Any, Any]:
    vectors = model.weights()["table"] / np.linalg.norm(model.weights()["table"], axis=1, keepdims=True)
    return np.asarray(vectors @ vectors.T)


@pytest.mark.parametrize(("form", "temperature"), [("knowledge", 1.0), ("knowledge", 2.0), ("ranking", 1.0), ("model", 1.0)])
def test_a_student_recommends_what_its_teacher_does(
    teacher: SASRec, outputs: TeacherOutputs, split: Split, form: Form, temperature: float
) -> None:
    """With the teacher's word alone, the student's lists become the teacher's, which the log alone would not do."""
    student = SASRec(teacher.options, teacher.catalogue, seed=2)
    distillation = Distillation(teacher=outputs, weight=1.0, form=form, temperature=temperature)
    split = replace(split, validation=_favourites(teacher, split))
    before = _alike(student, teacher, split)
    after = _alike(finetune(student, split, options=OPTIONS, distillation=distillation).model, teacher, split)
    assert after > 0.7
    assert after > before + 0.2


def _favourites(teacher: SASRec, split: Split) -> np.ndarray[Any, np.dtype[np.int32]]:
    return held_out(teacher.source(), split.train, split.validation, k=1).top[:, 0]


def test_the_geometry_of_the_items_is_matched_at_another_width(teacher: SASRec, outputs: TeacherOutputs, split: Split) -> None:
    """Cosines of item vectors come close to the teacher's, in a table of other width."""
    student = SASRec(replace(teacher.options, dims=10), teacher.catalogue, seed=1)
    distillation = Distillation(teacher=outputs, weight=0.999, form="embedding")
    split = replace(split, validation=_favourites(teacher, split))
    tuned = finetune(student, split, options=OPTIONS, distillation=distillation)
    off = [float(np.abs(_cosines(one) - _cosines(teacher)).mean()) for one in (student, tuned.model)]
    assert tuned.best_epoch == 40
    assert off[1] < off[0] / 3


def test_what_cannot_be_learnt_from_is_refused(
    teacher: SASRec, outputs: TeacherOutputs, split: Split, circle: Callable[..., Dataset], tmp_path: Path
) -> None:
    """Each with a sentence that has the value and what was expected."""
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"weight": 0.0}, "weight=0.0 is not a number above 0 and up to 1"),
        ({"weight": 1.2}, "weight=1.2"),
        ({"temperature": -1.0}, "temperature=-1.0"),
        ({"temperature": 2.0, "form": "ranking"}, "is of the form knowledge, not of ranking"),
        ({"form": "osmosis"}, f"use one of {', '.join(FORMS)}"),
    )
    for options, message in refused:
        with pytest.raises(TrainingError, match=message):
            Distillation(teacher=outputs, **options)
    counts = teacher_outputs([Popularity.count(split, Catalogue(split.item_ids))], split, folder=tmp_path)
    assert Distillation(teacher=counts).teacher is counts
    with pytest.raises(TrainingError, match="loss='sampled' does not see the whole catalogue"):
        finetune(teacher, split, options=replace(OPTIONS, loss="sampled"), distillation=Distillation(teacher=outputs))
    longer = leave_one_out(circle(users=32, events=9).interactions)
    with pytest.raises(TrainingError, match="answered 192 events of 12 items, the log has 224"):
        finetune(teacher, longer, options=OPTIONS, distillation=Distillation(teacher=outputs))
