"""From a log to a run directory, and what is done where one is there already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_rec.data import Users
from edge_rec.models import SASRecOptions, load_run, write_model
from edge_rec.training import TRAINERS, Request, rebind, train_run
from edge_rec.training.recipes import RECIPES
from edge_rec_runtime import read_histories
from edge_rec_runtime.errors import ModelError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_rec.data import Dataset

SMALL = {
    "popularity": Request(model="popularity"),
    "mf": Request(model="mf", shape={"dims": 4}, training={"epochs": 1}),
    "sasrec": Request(shape={"dims": 4, "feed_forward": 8, "max_length": 6}, training={"epochs": 1}),
    "gru4rec": Request(model="gru4rec", shape={"dims": 4, "hidden": 8, "max_length": 6}, training={"epochs": 1}),
    "nrms": Request(model="nrms", shape={"dims": 4, "max_length": 6}, training={"epochs": 1}),
    "deep-mlp": Request(model="deep-mlp", shape={"dims": 4, "hidden": 8, "layers": 12}, training={"epochs": 1}),
    "two-tower": Request(model="two-tower", shape={"dims": 4, "hidden": 8, "max_length": 6}, training={"epochs": 1}),
    "lightgcn": Request(model="lightgcn", shape={"dims": 4}, training={"epochs": 1}),
    "ease": Request(model="ease"),
    "item-item": Request(model="item-item", shape={"max_length": 3}),
}


@pytest.fixture
def log(circle: Callable[..., Dataset]) -> Dataset:
    """Return 24 users with 9 events."""
    return circle(users=24, events=9)


@pytest.mark.parametrize("model", TRAINERS)
def test_a_log_becomes_a_run(log: Dataset, tmp_path: Path, model: str) -> None:
    """Every model leaves a folder that loads, says what it was trained on and how good it is, and keeps no checkpoint."""
    config = train_run(log, tmp_path / "run", request=SMALL[model])
    assert config["dataset"] == {"name": "circle", "core": 5, "users": 24, "items": 12, "events": 216}
    assert {"ndcg_at_10", "hr_at_10", "mrr_at_10", "coverage_at_10"} <= set(config["metrics"]["test"])
    assert config["seconds"] > 0
    again = load_run(tmp_path / "run")
    assert again.catalogue.titles is not None
    np.testing.assert_array_equal(again.catalogue.popularity, [14] * 12)  # 24 users x 7 training events on 12 items
    assert not list((tmp_path / "run").glob("*checkpoint*"))


def test_two_towers_are_told_who_asks(log: Dataset, tmp_path: Path) -> None:
    """What the data say of users becomes context features, and stands beside the histories that a bundle is judged by."""
    known = {"gender": {f"u{user}": "FM"[user % 2] for user in range(23)}}  # the last user is not in the file
    config = train_run(replace(log, users=Users(attributes=known)), tmp_path / "run", request=SMALL["two-tower"])
    assert config["options"]["context"] == {"gender": ["F", "M"]}
    told = [one.context for one in read_histories(tmp_path / "run" / "heldout" / "test.jsonl")]
    assert told == [{"gender": known["gender"].get(f"u{user}")} for user in range(24)]


def test_neighbours_choose_what_is_not_given(log: Dataset, tmp_path: Path) -> None:
    """Options that were asked for are kept, the others chosen and what was tried recorded."""
    config = train_run(log, tmp_path / "run", request=SMALL["item-item"])
    assert config["options"]["max_length"] == 3
    assert {one["max_length"] for one in config["tried"]} == {3}
    assert len({one["shrinkage"] for one in config["tried"]}) > 2
    with pytest.raises(TrainingError, match="'ease' has no option 'epochs'; it takes regularisation, neighbours, max_length"):
        train_run(log, tmp_path / "a", request=Request(model="ease", training={"epochs": 3}))


def test_a_folder_in_use_is_not_touched(log: Dataset, tmp_path: Path) -> None:
    """Without --resume a finished run and a folder of somebody's files are refused, and stay as they were."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(TrainingError, match="holds files"):
        train_run(log, tmp_path, request=SMALL["popularity"])
    train_run(log, tmp_path / "run", request=SMALL["popularity"])
    with pytest.raises(TrainingError, match="holds a finished run"):
        train_run(log, tmp_path / "run", request=SMALL["popularity"])
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_finished_run_is_returned_on_resume(log: Dataset, tmp_path: Path) -> None:
    """The same request returns the same figures without training; another request is refused by name."""
    first = train_run(log, tmp_path / "run", request=SMALL["popularity"])
    assert train_run(log, tmp_path / "run", request=SMALL["popularity"], resume=True) == first
    with pytest.raises(TrainingError, match="seed was 0 there and is 1 here"):
        train_run(log, tmp_path / "run", request=replace(SMALL["popularity"], seed=1), resume=True)


def test_a_run_of_an_older_recipe_is_not_taken_for_this_one(
    log: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a request leaves to the recipe is part of the run: when the recipe changes, the run is another."""
    train_run(log, tmp_path / "run", request=SMALL["sasrec"])
    recipe = RECIPES["sasrec"]["ml-100k"]
    changed = replace(recipe, training=replace(recipe.training, learning_rate=0.5))
    monkeypatch.setitem(RECIPES["sasrec"], "ml-100k", changed)
    with pytest.raises(TrainingError, match=r"training\.learning_rate was 0\.002 there and is 0\.5 here"):
        train_run(log, tmp_path / "run", request=SMALL["sasrec"], resume=True)


def test_an_option_of_another_model_is_refused(log: Dataset, tmp_path: Path) -> None:
    """Popularity has no dims, MF no heads."""
    with pytest.raises(TrainingError, match="'popularity' has no option 'dims'; it takes none"):
        train_run(log, tmp_path / "a", request=Request(model="popularity", shape={"dims": 4}))
    with pytest.raises(TrainingError, match=r"'mf' has no option 'heads'; it takes dims, unobserved, .*epochs"):
        train_run(log, tmp_path / "b", request=Request(model="mf", shape={"heads": 4}))


def test_kept_weights_are_bound_to_data_read_anew(log: Dataset, tmp_path: Path) -> None:
    """Weights without ids find their items in the same log, and refuse another one."""
    config = train_run(log, tmp_path / "run", request=SMALL["sasrec"])
    (tmp_path / "kept").mkdir()
    write_model(tmp_path / "kept", load_run(tmp_path / "run"), record={"dataset": config["dataset"]})
    model, split = rebind(tmp_path / "kept", log)
    assert len(split.test) == 24
    assert SASRecOptions(**model.describe()).dims == 4  # type: ignore[arg-type]  # options of a known model
    renamed = replace(log.interactions, item_ids=tuple(f"x{row}" for row in range(12)))
    with pytest.raises(ModelError, match="use the data that the model was trained on"):
        rebind(tmp_path / "kept", replace(log, interactions=renamed))
