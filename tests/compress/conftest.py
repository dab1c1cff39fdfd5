"""A log that walks round a circle, and a small SASRec that was trained on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_rec.data import Dataset, Interactions, Items
from edge_rec.models import SASRec, SASRecOptions
from edge_rec.training import Request, train_run
from edge_rec_runtime import Catalogue

if TYPE_CHECKING:
    from pathlib import Path

ITEMS = 30


def walks(*, users: int = 40, events: int = 10, items: int = ITEMS) -> Dataset:
    """Return users who walk round a circle of items, some of them two at a time."""
    steps, who = np.tile(np.arange(events), users), np.repeat(np.arange(users), events)
    return Dataset(
        name="walks",
        interactions=Interactions(
            users=who.astype(np.int32),
            items=((who * 7 + steps * (1 + who % 2)) % items).astype(np.int32),
            timestamps=steps.astype(np.int64),
            user_ids=tuple(f"u{user}" for user in range(users)),
            item_ids=tuple(f"i{item}" for item in range(items)),
        ),
        items=Items(titles={}),
    )


@pytest.fixture(scope="session")
def log() -> Dataset:
    """Return the log."""
    return walks()


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, log: Dataset) -> Path:
    """Return the run directory of a SASRec of 16 dimensions; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    shape = {"dims": 16, "heads": 2, "feed_forward": 32, "max_length": 8}
    train_run(log, folder, request=Request(shape=shape, training={"epochs": 4}))
    return folder


@pytest.fixture
def model() -> SASRec:
    """Return a drawn SASRec of 16 dimensions."""
    options = SASRecOptions(dims=16, heads=2, feed_forward=32, max_length=8)
    return SASRec(options, Catalogue(tuple(f"i{row}" for row in range(ITEMS))), seed=1)
