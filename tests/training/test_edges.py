"""A graph network's epoch looks at every user once, and only at what the user met."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_rec.data import Dataset, leave_one_out
from edge_rec.models import GraphNetwork, LightGCNOptions
from edge_rec.training import TrainingOptions, train
from edge_rec.training.edges import Edges
from edge_rec_runtime import Catalogue

if TYPE_CHECKING:
    from collections.abc import Callable


def test_every_user_has_as_many_edges(circle: Callable[..., Dataset]) -> None:
    """Each user comes once an epoch with eight items of the training part, in steps of the size asked for."""
    split = leave_one_out(circle(users=20, events=7).interactions)
    objective = Edges(split, users=8)
    parts = [part for batch in objective.batches(np.random.default_rng(0)) for part in batch]
    assert [len(part.users) for part in parts] == [64, 64, 32]
    assert objective.steps == len(parts)
    users = np.concatenate([part.users.numpy() for part in parts])
    assert (np.bincount(users) == 8).all()
    for user, item in zip(users, np.concatenate([part.targets.numpy() for part in parts]), strict=True):
        assert item in split.train[user]


def test_a_graph_is_learnt(circle: Callable[..., Dataset]) -> None:
    """Users walk a quarter of the circle: their next item is among the neighbours of what they met, far above chance."""
    split = leave_one_out(circle(users=48, events=5).interactions)
    model = GraphNetwork(LightGCNOptions(dims=8, max_length=5), Catalogue(split.item_ids), met=split.train)
    options = TrainingOptions(epochs=15, batch_users=16, warmup_steps=5, averaging=0.9, learning_rate=0.05)
    trained = train(model, Edges(split, users=16), split, options=options)
    assert max(one["ndcg_at_10"] for one in trained.epochs) > 0.6  # of 9 items left, chance gives 0.45
    assert trained.epochs[-1]["loss"] < trained.epochs[0]["loss"]
