"""A student learns what its teachers would have answered, and says what became of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from edge_rec.compress import Given, describe_step, make_step, parse_step
from edge_rec.compress.distil import Distil
from edge_rec.compress.distil.students import STUDENTS
from edge_rec.models import Network, load_run
from edge_rec.training import FORMS, prepared
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import CompressionError, DataError, EdgeRecError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.compress import Outcome
    from edge_rec.data import Dataset
    from edge_rec.models import Model

SMALL = {
    "sasrec": "{dims=8,feed_forward=8,max_length=8}",
    "gru4rec": "{dims=8,hidden=8,max_length=8}",
    "nrms": "{dims=8,heads=2,max_length=8}",
    "two-tower": "{dims=8,hidden=8,max_length=8}",
    "deep-mlp": "{dims=8,hidden=8,layers=4,max_length=8}",
    "lightgcn": "{dims=8}",
}


def _run(text: str, model: Model, log: Dataset, folder: Path) -> Outcome:
    step, (split, catalogue) = parse_step(text), prepared(log, core=1)
    given = Given(split=split, dataset="walks", catalogue=catalogue, seed=0, folder=folder)
    outcome = step.run(model, given)
    step.ensures(model, outcome.model)
    return outcome


@pytest.mark.parametrize("name", STUDENTS)
def test_every_network_can_learn_from_another(name: str, trained_run: Path, log: Dataset, tmp_path: Path) -> None:
    """A student of any kind is of the shape that was asked for, and comes nearer to the log and its teacher."""
    outcome = _run(
        f"distil:student={name},options={SMALL[name]},epochs=3,learning_rate=0.02,start=drawn",
        load_run(trained_run),
        log,
        tmp_path,
    )
    assert isinstance(outcome.model, Network)
    assert outcome.model.name == name
    assert outcome.model.options.dims == 8
    losses = [one["loss"] for one in outcome.record["epochs"] if one["epoch"]]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_brings_a_student_near_its_teacher(form: str, trained_run: Path, log: Dataset, tmp_path: Path) -> None:
    """Each form has a cross-entropy or a distance that falls; the record says who taught."""
    text = f"distil:learn={form},student=lightgcn,options={{dims=8}},epochs=4,learning_rate=0.02,start=drawn"
    outcome = _run(text, load_run(trained_run), log, tmp_path)
    losses = [one["loss"] for one in outcome.record["epochs"] if one["epoch"]]
    assert losses[-1] < losses[0]
    assert outcome.record["teachers"] == ["lightgcn"]


def test_teachers_are_read_from_their_folders(trained_run: Path, log: Dataset, tmp_path: Path) -> None:
    """Two teachers teach together, the student begins with what both know of the items, and the record names them."""
    teachers = [str(trained_run)] * 2
    step = make_step("distil", {"student": "lightgcn", "options": {"dims": 8}, "epochs": 1, "teachers": teachers})
    split, catalogue = prepared(log, core=1)
    given = Given(split=split, dataset="walks", catalogue=catalogue, seed=0, folder=tmp_path)
    record = step.run(load_run(trained_run), given).record
    assert (record["teachers"], record["taken"], record["student"]["dims"]) == (teachers, ["table"], 8)


def test_without_weight_there_is_no_teacher(trained_run: Path, log: Dataset, tmp_path: Path) -> None:
    """weight=0 is the control: nobody is asked, and nothing is cached."""
    text = "distil:student=lightgcn,options={dims=8},epochs=1,weight=0,start=drawn"
    outcome = _run(text, load_run(trained_run), log, tmp_path)
    assert outcome.record["taken"] == []
    assert not list(tmp_path.glob("teacher-*"))


def test_a_larger_student_is_remarked_upon(trained_run: Path, log: Dataset, tmp_path: Path) -> None:
    """It may be what was meant, and is no compression; the record holds options that make the same step again."""
    text = "distil:student=lightgcn,options={dims=32},epochs=1"
    (remark,) = _run(text, load_run(trained_run), log, tmp_path).record["remarks"]
    assert remark == "the student has 960 weights, and the model had 480"
    step = parse_step(text)
    assert make_step("distil", json.loads(json.dumps(describe_step(step)["options"]))) == step


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"student": "sasrek"}, "did you mean 'sasrec'"),
        ({"student": "ease"}, "student='ease' is not known"),
        ({"learn": "rankings"}, "did you mean 'ranking'"),
        ({"start": "cold"}, "start='cold' is not known; use one of teacher, drawn"),
        ({"options": {"dim": 8}}, "no option 'dim'; did you mean 'dims'"),
        ({"options": 8}, "options=8 is not a table"),
        ({"teachers": "runs/a"}, "teachers='runs/a' is not a list"),
        ({"weight": 1.2}, "weight=1.2; expected a share from 0 to 1"),
        ({"weight": -1}, "weight=-1"),
        ({"temperature": 0}, "temperature=0"),
        ({"temperature": 2, "learn": "ranking"}, "temperature=2 is of learn=knowledge"),
        ({"top": 0}, "top=0"),
        ({"epochs": 0}, "epochs=0"),
        ({"learning_rate": 0}, "learning_rate=0"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, object], message: str) -> None:
    """Before any work, in one sentence, with the nearest word that is known."""
    with pytest.raises(CompressionError, match=message):
        make_step("distil", options)


def test_teachers_that_cannot_teach_are_refused(trained_run: Path, model: Network, log: Dataset, tmp_path: Path) -> None:
    """A folder that holds no model, or one of other items; a log that is missing; a shape that nothing can be built of."""
    with pytest.raises(EdgeRecError, match="nowhere"):
        Distil(teachers=(str(tmp_path / "nowhere"),)).requires(model)
    other = type(model)(model.options, Catalogue(("a", "b")))
    with pytest.raises(CompressionError, match=r"catalogue of 30 items that is not the model's of 2"):
        Distil(teachers=(str(trained_run),)).requires(other)
    given = Given(split=None, dataset="walks", catalogue=model.catalogue, seed=0, folder=tmp_path)
    with pytest.raises(DataError, match="distil looks at data"):
        Distil().run(model, given)
    with pytest.raises(ModelError, match="heads do not divide 6 dims"):
        Distil(options={"dims": 6}).run(model, replace(given, split=prepared(log, core=1)[0]))


def test_another_model_than_the_student_is_no_result(trained_run: Path, model: Network) -> None:
    """The promise is a student of the kind that was asked for, with all items."""
    with pytest.raises(CompressionError, match="the new model is a lightgcn of 30 items"):
        Distil(student="sasrec").ensures(model, load_run(trained_run))
    assert describe_step(Distil())["form"] == "distil"
