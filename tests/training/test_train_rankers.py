"""Rankers find what is planted in a log, and become run directories."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_rec.click_metrics import logits
from edge_rec.data import Dataset, Interactions, Items, Users
from edge_rec.data.ranking import RankingData, ranking_data
from edge_rec.models import load_run
from edge_rec.models.rankers import RankingModel
from edge_rec.training import RANKERS, RankingTraining, Request, train_ranker, train_run
from edge_rec_converters.examples import Examples
from edge_rec_converters.metrics import auc
from edge_rec_runtime.errors import ModelError, TrainingError

if TYPE_CHECKING:
    from pathlib import Path

USERS, ITEMS, EVENTS = 30, 24, 3000
QUICK = RankingTraining(epochs=14, patience=14, batch=100, learning_rate=0.01, unknown=0.05)


def tastes(*, told: bool = True, newcomers: bool = False) -> Dataset:
    """Return users of two tastes and items of two genres; who meets an item of the own taste clicks, but for 5 in 100.

    Neither a user nor an item is clicked more than others, so that only the two together tell anything.

    Args:
        told: The taste stands in the user file.
        newcomers: Every user comes for 50 events, and never again.
    """
    rng = np.random.default_rng(7)
    people = EVENTS // 50 if newcomers else USERS
    users = np.arange(EVENTS) // 50 if newcomers else rng.integers(0, people, EVENTS)
    items = rng.integers(0, ITEMS, EVENTS)
    clicked = (users % 2 == items % 2) != (rng.random(EVENTS) < 0.05)
    return Dataset(
        name="tastes",
        interactions=Interactions(
            users=users.astype(np.int32),
            items=items.astype(np.int32),
            timestamps=np.arange(EVENTS) * 3_600,
            user_ids=tuple(f"u{row}" for row in range(people)),
            item_ids=tuple(f"i{row}" for row in range(ITEMS)),
            ratings=np.where(clicked, 5, 1).astype(np.float32),
        ),
        items=Items(attributes={"genres": {f"i{row}": (f"g{row % 2}", "any") for row in range(ITEMS)}}),
        users=Users(attributes={"gender": {f"u{row}": "FM"[row % 2] for row in range(people)}} if told else {}),
    )


def reached(model: RankingModel, data: RankingData) -> float:
    """Return the AUC on the test part."""
    return auc(data.clicks.clicked[data.clicks.test], logits(model, data.examples(model.inputs.features, data.clicks.test)))


@pytest.fixture(scope="module")
def told() -> RankingData:
    """Return the log whose user file tells the tastes."""
    return ranking_data(tastes(), longest=10)


@pytest.mark.parametrize("name", [name for name in RANKERS if name != "logistic"])
def test_a_ranker_finds_what_user_and_item_say_together(told: RankingData, name: str) -> None:
    """Each network reaches nearly what the noise allows (.95), where neither side alone says anything."""
    model = RANKERS[name].built({"dims": 8, "hidden": [32], "dropout": 0.0}, told.inputs)
    fitted = train_ranker(model, told, options=QUICK)
    assert reached(fitted.model, told) > 0.9
    assert fitted.epochs[fitted.best_epoch - 1]["auc"] == max(one["auc"] for one in fitted.epochs)


def test_a_sum_of_weights_cannot(told: RankingData) -> None:
    """Logistic regression stays near a coin's throw there: what the others find is planted where it should be."""
    fitted = train_ranker(RANKERS["logistic"].built({}, told.inputs), told, options=QUICK)
    assert abs(reached(fitted.model, told) - 0.5) < 0.1


def test_din_reads_the_taste_of_a_newcomer_from_the_history() -> None:
    """Users whom training never met, and of whom nothing is told, are known by their clicks; without those they are not."""
    data = ranking_data(tastes(told=False, newcomers=True), longest=10)
    options = replace(QUICK, unknown=0.5)
    shape = {"dims": 8, "hidden": [32], "dropout": 0.0}
    assert reached(train_ranker(RANKERS["din"].built(shape, data.inputs), data, options=options).model, data) > 0.85
    assert reached(train_ranker(RANKERS["dcnv2"].built(shape, data.inputs), data, options=options).model, data) < 0.65


def test_the_unknown_are_learned(told: RankingData) -> None:
    """The rows of unknown users and items move in training, and only as far as they are shown."""
    model = RANKERS["deepfm"].built({"dims": 4, "hidden": [8]}, told.inputs)
    start = model.weights()
    for share, moves in ((0.2, True), (0.0, False)):
        fitted = train_ranker(model, told, options=replace(QUICK, epochs=1, unknown=share, decay=0.0))
        for name in ("vectors.tables.user.weight", "vectors.tables.item.weight"):
            assert bool(np.abs(fitted.model.weights()[name][0] - start[name][0]).max() > 1e-4) is moves


def test_the_same_seed_gives_the_same_weights(told: RankingData) -> None:
    """Order, dropout and what is hidden follow from the seed, and the model that was given stays as it was."""
    model = RANKERS["dlrm"].built({"dims": 4, "hidden": [8], "dropout": 0.5}, told.inputs)
    start = {name: value.copy() for name, value in model.weights().items()}
    runs = [train_ranker(model, told, options=replace(QUICK, epochs=1, seed=seed)).model.weights() for seed in (1, 1, 2)]
    for name, value in runs[0].items():
        np.testing.assert_array_equal(value, runs[1][name])
        np.testing.assert_array_equal(model.weights()[name], start[name])
    assert any((value != runs[2][name]).any() for name, value in runs[0].items())


def test_training_stops_when_it_no_longer_gets_better(told: RankingData) -> None:
    """With a step of 0 the first epoch is the best, and one more is waited for."""
    model = RANKERS["logistic"].built({}, told.inputs)
    fitted = train_ranker(model, told, options=RankingTraining(epochs=9, patience=1, batch=500, learning_rate=0.0))
    assert (fitted.best_epoch, len(fitted.epochs)) == (1, 2)


def test_a_training_that_diverges_is_told(told: RankingData) -> None:
    """A step far too long ends in one sentence, not in a model."""
    model = RANKERS["dcnv2"].built({"dims": 4, "hidden": [8]}, told.inputs)
    with pytest.raises((TrainingError, ModelError), match=r"learning rate below|smaller step"):
        train_ranker(model, told, options=RankingTraining(epochs=3, batch=100, learning_rate=1e12))


def test_a_log_becomes_a_run(tmp_path: Path) -> None:
    """The folder loads, its figures are those of its own examples, and the same request is not trained again."""
    request = Request(model="din", shape={"dims": 4, "hidden": (8,), "max_length": 3}, training={"epochs": 2, "batch": 200})
    config = train_run(tastes(), tmp_path / "run", request=request)
    assert config["dataset"] == {
        "name": "tastes",
        "core": 5,
        "split": "time",
        "users": USERS,
        "items": ITEMS,
        "events": EVENTS,
        "history": 3,
        "train": 2400,
        "validation": 300,
        "test": 300,
    }
    model = load_run(tmp_path / "run")
    assert isinstance(model, RankingModel)
    for part in ("validation", "test"):
        examples = Examples.load(tmp_path / "run" / "heldout" / f"{part}.safetensors")
        assert examples.labels is not None
        assert len(examples) == 300
        assert examples.inputs["history"].shape == (300, 3)
        assert auc(examples.labels, logits(model, examples)) == pytest.approx(config["metrics"][part]["auc"], abs=1e-9)
    assert train_run(tastes(), tmp_path / "run", request=request, resume=True) == config
    with pytest.raises(TrainingError, match=r"dataset\.history was 3 there and is 4 here"):
        train_run(tastes(), tmp_path / "run", request=replace(request, shape={**request.shape, "max_length": 4}), resume=True)


def test_an_unknown_option_is_named(tmp_path: Path) -> None:
    """Of the network or of the training; nothing is written."""
    with pytest.raises(ModelError, match="DeepFM has no option 'heads'; its options are dims, dropout, hidden"):
        train_run(tastes(), tmp_path / "run", request=Request(model="deepfm", shape={"heads": 2}))
    with pytest.raises(TrainingError, match="model 'deepfm' has no option 'negatives'; it takes epochs, patience, batch"):
        train_run(tastes(), tmp_path / "run", request=Request(model="deepfm", training={"negatives": 2}))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("name", "value"), [("epochs", 0), ("batch", 1.5), ("learning_rate", -1.0), ("unknown", 1.0)])
def test_a_recipe_that_trains_nothing_is_refused(name: str, value: float) -> None:
    """The option and its value."""
    with pytest.raises(TrainingError, match=f"training: {name}={value}"):
        RankingTraining(**{name: value})  # type: ignore[arg-type]  # the wrong type is the point
