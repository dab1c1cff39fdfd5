"""Training learns, repeats, resumes to the same weights, and stops when it must."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_rec.data import Dataset, Split, leave_one_out
from edge_rec.models import (
    NRMS,
    GraphNetwork,
    GRU4Rec,
    GRU4RecOptions,
    LightGCNOptions,
    NRMSOptions,
    SASRec,
    SASRecOptions,
    TwoTower,
    TwoTowerOptions,
)
from edge_rec.models.two_tower import context_features
from edge_rec.training import LOSSES, NextItem, Objective, Trained, TrainingOptions, train
from edge_rec.training.edges import Edges
from edge_rec_runtime import Catalogue, Progress, silent
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_rec.models.network import Network

SHAPE = SASRecOptions(dims=16, blocks=2, heads=2, feed_forward=32, max_length=8, dropout=0.1)
OPTIONS = TrainingOptions(epochs=4, batch_users=16, warmup_steps=5, averaging=0.9, learning_rate=0.02, patience=9)


@pytest.fixture
def split(circle: Callable[..., Dataset]) -> Split:
    """Return 48 users who walk 12 steps of the circle."""
    return leave_one_out(circle(users=48, events=12).interactions)


def _trained(
    split: Split,
    options: TrainingOptions = OPTIONS,
    checkpoint: Path | None = None,
    *,
    model: Network | None = None,
    progress: Progress = silent,
) -> Trained[Network]:
    model = model or SASRec(SHAPE, Catalogue(split.item_ids), seed=options.seed)
    objective = NextItem(split, max_length=SHAPE.max_length, users=options.batch_users)
    return train(model, objective, split, options=options, checkpoint=checkpoint, progress=progress)


def _same_weights(a: Trained[Network], b: Trained[Network]) -> bool:
    return all(np.array_equal(value, b.model.weights()[name]) for name, value in a.model.weights().items())


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_a_rule_is_learnt(split: Split, loss: str) -> None:
    """On a circle the next item follows from the last: NDCG@10 on validation comes near 1 with any loss."""
    options = TrainingOptions(
        epochs=25, batch_users=16, warmup_steps=5, averaging=0.9, learning_rate=0.02, loss=loss, negatives=8, evaluate_every=5
    )
    best = max(one.get("ndcg_at_10", 0) for one in _trained(split, options).epochs)
    assert best > 0.95


def test_the_seed_decides(split: Split) -> None:
    """The same seed trains the same weights to the bit, another seed others."""
    options = TrainingOptions(**{**OPTIONS.__dict__, "epochs": 2})
    first, second = _trained(split, options), _trained(split, options)
    assert _same_weights(first, second)
    assert [one["loss"] for one in first.epochs] == [one["loss"] for one in second.epochs]
    assert not _same_weights(first, _trained(split, TrainingOptions(**{**options.__dict__, "seed": 1})))


def test_an_interrupted_run_resumes_to_the_same_weights(split: Split, tmp_path: Path) -> None:
    """Ctrl-C in the third epoch, then training again: weights and records are those of a run that was never stopped."""
    checkpoint = tmp_path / "checkpoint.safetensors"

    def interrupt(done: int, total: int, note: str = "") -> None:
        if note.startswith("epoch 3"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _trained(split, checkpoint=checkpoint, progress=interrupt)
    resumed, whole = _trained(split, checkpoint=checkpoint), _trained(split)
    assert _same_weights(resumed, whole)
    assert resumed.best_epoch == whole.best_epoch
    assert [one["loss"] for one in resumed.epochs] == [one["loss"] for one in whole.epochs]


def test_a_checkpoint_of_other_options_is_refused(split: Split, tmp_path: Path) -> None:
    """Going on with other options would be neither run."""
    checkpoint = tmp_path / "checkpoint.safetensors"
    _trained(split, TrainingOptions(**{**OPTIONS.__dict__, "epochs": 1}), checkpoint)
    with pytest.raises(TrainingError, match="epochs was 1 there and is 4 here"):
        _trained(split, checkpoint=checkpoint)


def test_training_stops_when_nothing_gets_better(split: Split) -> None:
    """With a step of next to nothing the first evaluation stays the best; patience is counted in evaluations."""
    options = TrainingOptions(epochs=30, learning_rate=1e-12, warmup_steps=0, batch_users=48, patience=2)
    trained = _trained(split, options)
    assert (trained.best_epoch, len(trained.epochs)) == (1, 3)


@pytest.mark.filterwarnings("ignore:overflow")
def test_divergence_stops_and_names_the_cause(split: Split) -> None:
    """A loss that is no number ends training with a sentence that says what to change."""
    with pytest.raises(TrainingError, match=r"the loss became .* learning rate below 1e\+30"):
        _trained(split, TrainingOptions(**{**OPTIONS.__dict__, "learning_rate": 1e30, "warmup_steps": 0}))


def test_nothing_to_learn_from_is_said(circle: Callable[..., Dataset]) -> None:
    """Users whose only training event has no successor are an error before the first step."""
    with pytest.raises(TrainingError, match="longer log"):
        _trained(leave_one_out(circle(users=20, events=3).interactions))


def _networks(split: Split) -> dict[str, tuple[Network, Objective[Any, Any]]]:
    """Return a small network of each kind and its objective; two towers with one attribute of the users."""
    catalogue, users = Catalogue(split.item_ids, tuple(f"Item {one} of it" for one in split.item_ids)), 16
    context = context_features({"gender": tuple("FM"[user % 2] for user in range(len(split.train)))})
    known = [context[0].encode(["FM"[user % 2] for user in range(len(split.train))])]
    met = split.train
    return {
        "gru4rec": (GRU4Rec(GRU4RecOptions(dims=4, hidden=6), catalogue), NextItem(split, max_length=8, users=users)),
        "nrms": (NRMS(NRMSOptions(dims=4, heads=2), catalogue), NextItem(split, max_length=8, users=users)),
        "two-tower": (
            TwoTower(TwoTowerOptions(dims=4, hidden=6), catalogue, context=context),
            NextItem(split, max_length=8, users=users, context=known),
        ),
        "lightgcn": (GraphNetwork(LightGCNOptions(dims=4), catalogue, met=met), Edges(split, users=users)),
    }


@pytest.mark.parametrize("name", ["gru4rec", "nrms", "two-tower", "lightgcn"])
def test_every_network_resumes_to_the_same_weights(split: Split, tmp_path: Path, name: str) -> None:
    """Interrupted in the second epoch, then gone on with: every weight has moved, and is that of a run that was not stopped."""
    options = TrainingOptions(**{**OPTIONS.__dict__, "epochs": 2, "loss": "in-batch"})
    model, objective = _networks(split)[name]

    def interrupt(done: int, total: int, note: str = "") -> None:
        if note.startswith("epoch 2"):
            raise KeyboardInterrupt

    checkpoint = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(model, objective, split, options=options, checkpoint=checkpoint, progress=interrupt)
    resumed = train(model, objective, split, options=options, checkpoint=checkpoint)
    whole = train(model, objective, split, options=options)
    assert _same_weights(resumed, whole)
    before = model.weights()
    assert [key for key, value in whole.model.weights().items() if np.array_equal(value, before[key])] == []
