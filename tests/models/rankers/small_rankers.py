"""Small rankers over features of every kind, and inputs for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from edge_rec.data.ranking import RankerInputs
from edge_rec.training import RANKERS
from edge_rec_runtime import Catalogue
from edge_rec_runtime.features import Feature

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec.models.rankers import RankingModel

ITEMS, ROWS = 7, 12
CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(ITEMS)))
SMALL: dict[str, Any] = {"dims": 4, "hidden": [6, 5]}


def small_inputs() -> RankerInputs:
    """Return features of every kind, and values for seven items."""
    rng = np.random.default_rng(0)
    return RankerInputs(
        features=(
            Feature("history", "categories", "context", CATALOGUE.ids, 5),
            Feature("user", "category", "context", ("ann", "bob", "façade")),
            Feature("hour", "category", "context", tuple("012")),
            Feature("activity", "number", "context"),
            Feature("item", "category", "item", CATALOGUE.ids),
            Feature("genres", "categories", "item", ("a", "b", "c"), 2),
            Feature("popularity", "number", "item"),
        ),
        item_values={
            "item": np.arange(1, ITEMS + 1, dtype=np.int32),
            "genres": rng.integers(1, 4, (ITEMS, 2)).astype(np.int32),
            "popularity": rng.normal(size=ITEMS).astype(np.float32),
        },
        catalogue=CATALOGUE,
    )


def random_rows(model: RankingModel, rows: int = ROWS, seed: int = 1) -> dict[str, NDArray[Any]]:
    """Return random inputs; the first row has neither history nor genres."""
    rng, made = np.random.default_rng(seed), {}
    for feature in model.inputs.features:
        if feature.kind == "number":
            made[feature.name] = rng.normal(size=rows).astype(np.float32)
        elif feature.kind == "category":
            made[feature.name] = rng.integers(0, len(feature.vocabulary) + 1, rows).astype(np.int32)
        else:
            lengths = np.concatenate([[0], rng.integers(0, feature.longest + 1, rows - 1)])
            values = rng.integers(1, len(feature.vocabulary) + 1, (rows, feature.longest))
            made[feature.name] = np.where(np.arange(feature.longest) < lengths[:, None], values, 0).astype(np.int32)
    return made


def scores_of(model: RankingModel, inputs: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Return the log-odds [rows] of the inputs."""
    with torch.inference_mode():
        scores: NDArray[np.float32] = model(*(torch.from_numpy(inputs[one.name]) for one in model.inputs.features)).numpy()
    return scores


def small_ranker(name: str) -> RankingModel:
    """Return a small model whose every weight matters: tables start too near 0 to show a mistake."""
    model = RANKERS[name].built(SMALL, small_inputs(), seed=2)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for values in model.parameters():
            values.normal_(0, 0.5, generator=generator)
    numbers = sum(one.kind == "number" for one in model.inputs.features)
    if numbers:
        model.standardise(torch.linspace(-0.5, 0.5, numbers), torch.linspace(0.5, 2.0, numbers))
    return model
