"""How each network is trained on a data set, chosen on validation; an unknown log is trained like one of its size."""

from __future__ import annotations

__all__ = ["RECIPES", "Recipe", "recipe"]

from dataclasses import dataclass
from typing import Any

from edge_rec.models import DeepMLPOptions, GRU4RecOptions, LightGCNOptions, NRMSOptions, SASRecOptions, TwoTowerOptions
from edge_rec.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network's options and its training."""

    shape: Any
    training: TrainingOptions


# SASRec: heads that forget (recency) gain more on validation than every other setting that was tried, most of all on small logs.
# 943 users are learnt by heart in twice the epochs or with twice the channels; longer windows cost time and gain nothing.
# LightGCN: 480 steps of 5e-3 leave it near popularity on MovieLens-1M. Recency acts at the door: .082 to .090 of one training.
# NRMS, validation NDCG@10 after 3 epochs of MovieLens-1M: recency .05, .2, .5 give .066, .077, .079; twice the rate then .097.
RECIPES: dict[str, dict[str, Recipe]] = {
    "sasrec": {
        "ml-100k": Recipe(
            shape=SASRecOptions(heads=4, max_length=50, dropout=0.5, recency=1.0),
            training=TrainingOptions(epochs=40, evaluate_every=4, batch_users=32, averaging=0.995),
        ),
        "ml-1m": Recipe(
            shape=SASRecOptions(dims=128, heads=4, dropout=0.25, recency=0.5),
            training=TrainingOptions(epochs=33, evaluate_every=3, learning_rate=1.5e-3),
        ),
    },
    "gru4rec": {
        "ml-100k": Recipe(
            shape=GRU4RecOptions(max_length=50, dropout=0.5),
            training=TrainingOptions(epochs=60, evaluate_every=3, batch_users=32, averaging=0.995),
        ),
        "ml-1m": Recipe(
            shape=GRU4RecOptions(dropout=0.25),
            training=TrainingOptions(epochs=14, evaluate_every=2),
        ),
    },
    "nrms": {
        "ml-100k": Recipe(
            shape=NRMSOptions(max_length=30, dropout=0.3),
            training=TrainingOptions(epochs=45, evaluate_every=3, batch_users=32, averaging=0.995),
        ),
        "ml-1m": Recipe(
            shape=NRMSOptions(recency=0.5),
            training=TrainingOptions(epochs=30, evaluate_every=3, learning_rate=6e-3),
        ),
    },
    "deep-mlp": {
        "ml-100k": Recipe(
            shape=DeepMLPOptions(dropout=0.3),
            training=TrainingOptions(epochs=40, evaluate_every=4, batch_users=32, averaging=0.995),
        ),
        "ml-1m": Recipe(
            shape=DeepMLPOptions(hidden=128),
            training=TrainingOptions(epochs=24, evaluate_every=3),
        ),
    },
    "two-tower": {
        "ml-100k": Recipe(
            shape=TwoTowerOptions(dropout=0.3),
            training=TrainingOptions(
                epochs=60, evaluate_every=3, batch_users=32, averaging=0.995, loss="in-batch", negatives=1000
            ),
        ),
        "ml-1m": Recipe(
            shape=TwoTowerOptions(),
            training=TrainingOptions(epochs=30, evaluate_every=3, loss="in-batch", negatives=2000),
        ),
    },
    "lightgcn": {
        "ml-100k": Recipe(
            shape=LightGCNOptions(),
            training=TrainingOptions(epochs=100, evaluate_every=5, batch_users=128, averaging=0.99, learning_rate=5e-3),
        ),
        "ml-1m": Recipe(
            shape=LightGCNOptions(dims=128, max_length=8, recency=0.4),
            training=TrainingOptions(
                epochs=10, evaluate_every=2, batch_users=128, averaging=0.99, learning_rate=0.05, warmup_steps=50
            ),
        ),
    },
}


def recipe(model: str, data: str, *, users: int) -> Recipe:
    """Return a model's recipe for a data set, or the one for the data set whose size is nearer to that of the log."""
    return RECIPES[model].get(data) or RECIPES[model]["ml-100k" if users < 3000 else "ml-1m"]
