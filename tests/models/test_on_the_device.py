"""Every retrieval model of the zoo goes through the door, and the device scores as the model does, in both targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from next_item import DIMS, disturbed

from edge_rec.models import (
    EASE,
    NRMS,
    DeepMLP,
    DeepMLPOptions,
    EASEOptions,
    GRU4Rec,
    GRU4RecOptions,
    LightGCN,
    LightGCNOptions,
    NRMSOptions,
    TwoTower,
    TwoTowerOptions,
)
from edge_rec.models.two_tower import context_features
from edge_rec_converters import convert, prepare
from edge_rec_runtime import Catalogue, History, Precision, Recommender

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec.models import Model

ITEMS, LONGEST = 40, 9
CATALOGUE = Catalogue(
    tuple(f"i{row}" for row in range(ITEMS)),
    tuple(f"Film No {row} ({1950 + row})" for row in range(ITEMS)),
    {"genres": tuple((("Drama",), ("War", "Comedy"))[row % 2] for row in range(ITEMS))},
)
CONTEXT = context_features({"gender": ("F", "M"), "age": ("18", "25")})
TABLE = np.random.default_rng(0).normal(size=(ITEMS, DIMS)).astype(np.float32)


def _models() -> dict[str, Model]:
    networks = (
        GRU4Rec(GRU4RecOptions(dims=DIMS, hidden=24, max_length=LONGEST), CATALOGUE),
        NRMS(NRMSOptions(dims=DIMS, heads=2, max_length=LONGEST, recency=0.3), CATALOGUE),
        DeepMLP(DeepMLPOptions(dims=DIMS, hidden=24, layers=102, max_length=LONGEST), CATALOGUE),
        TwoTower(TwoTowerOptions(dims=DIMS, hidden=24, max_length=LONGEST), CATALOGUE, context=CONTEXT),
        LightGCN(LightGCNOptions(dims=DIMS, max_length=LONGEST, recency=0.3), CATALOGUE),
    )
    for network in networks:
        disturbed(network)
    return {one.name: one for one in networks} | {
        "ease": EASE.strongest(EASEOptions(neighbours=7, max_length=LONGEST), CATALOGUE, TABLE @ TABLE.T)
    }


def _histories() -> list[History]:
    """Return histories shorter and longer than the window; every third user's gender is not known."""
    rng = np.random.default_rng(1)
    rows = [rng.choice(ITEMS, size=size, replace=False) for size in (2, 3, 5, 9, 10, 11, 14, 18)]
    known = ("F", "M", None)
    return [
        History(tuple(f"i{row}" for row in one[:-1]), target=f"i{one[-1]}", context={"gender": known[user % 3], "age": "25"})
        for user, one in enumerate(rows)
    ]


def _scores(model: Model, history: History) -> NDArray[np.float32]:
    """Return what the model itself makes of a history, [items]."""
    source = model.source()
    rows = [CATALOGUE.ids.index(one) for one in history.events][-LONGEST:]
    if source.kind == "neighbours":
        wanted = np.zeros(ITEMS, np.float32)
        for row in rows:
            part = slice(source.starts[row], source.starts[row + 1])
            wanted[source.items[part]] += source.values[part]
        return wanted
    assert source.kind == "retriever"
    assert isinstance(source.encoder, torch.nn.Module)
    context = [torch.from_numpy(one.encode([(history.context or {})[one.name]])) for one in source.context]
    with torch.inference_mode():
        query = source.encoder(torch.from_numpy(source.item_table[rows][None]), torch.ones(1, len(rows)), *context)[0].numpy()
    scores: NDArray[np.float32] = source.item_table @ query
    return scores


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gru4rec", "nrms", "deep-mlp", "two-tower", "lightgcn", "ease"])
def test_the_device_scores_what_the_model_does(tmp_path: Path, name: str) -> None:
    """In fp32, from ONNX and from TFLite, every score is the model's, for histories on either side of the window."""
    model, histories = _models()[name], _histories()
    prepared = prepare(model.source(), histories)
    for target in ("onnx", "tflite"):
        path = tmp_path / f"{target}.edgerec"
        convert(prepared, target=target, precision=Precision.parse("fp32"), output=path)
        with Recommender.open(path) as recommender:
            for history in histories:
                told = {"context": history.context} if name == "two-tower" else {}
                wanted = _scores(model, history)
                found = recommender.score(history.events, CATALOGUE.ids, **told)
                np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * float(np.abs(wanted).max()))
