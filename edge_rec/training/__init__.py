"""Training: next-item windows, losses over the whole catalogue, checkpoints, and runs in a folder."""

from edge_rec.training.loop import Trained, train
from edge_rec.training.losses import full_cross_entropy, sampled_cross_entropy
from edge_rec.training.options import LOSSES, TrainingOptions
from edge_rec.training.recipes import RECIPES, Recipe, recipe
from edge_rec.training.runs import TRAINERS, Fitted, Request, judged, prepared, rebind, train_run

__all__ = [
    "LOSSES",
    "RECIPES",
    "TRAINERS",
    "Fitted",
    "Recipe",
    "Request",
    "Trained",
    "TrainingOptions",
    "full_cross_entropy",
    "judged",
    "prepared",
    "rebind",
    "recipe",
    "sampled_cross_entropy",
    "train",
    "train_run",
]
