"""From a log to a run directory, and what is done where one is there already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_rec.models import SASRecOptions, load_run, write_model
from edge_rec.training import TRAINERS, Request, rebind, train_run
from edge_rec.training.recipes import RECIPES
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
