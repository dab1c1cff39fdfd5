"""How SASRec is trained on a data set, chosen on validation; an unknown log is trained like one of its size."""

from __future__ import annotations

__all__ = ["RECIPES", "Recipe", "recipe"]

from dataclasses import dataclass, field

from edge_rec.models.sasrec import SASRecOptions
from edge_rec.training.options import TrainingOptions


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and its training."""

    shape: SASRecOptions = field(default_factory=SASRecOptions)
    training: TrainingOptions = field(default_factory=TrainingOptions)


RECIPES: dict[str, Recipe] = {
    "ml-100k": Recipe(
        shape=SASRecOptions(dropout=0.4),
        training=TrainingOptions(epochs=60, evaluate_every=3, batch_users=32, averaging=0.995),
    ),
    "ml-1m": Recipe(
        shape=SASRecOptions(dropout=0.2),
        training=TrainingOptions(epochs=45, evaluate_every=3, averaging=0.998),
    ),
}


def recipe(name: str, *, users: int) -> Recipe:
    """Return the recipe of a data set, or the one of the data set whose size is nearer to that of the log."""
    return RECIPES.get(name) or RECIPES["ml-100k" if users < 3000 else "ml-1m"]
