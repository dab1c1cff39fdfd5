"""A log that walks round a circle, small models that were trained on it, and a SASRec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from walking_log import ITEMS, walks

from edge_rec.models import SASRec, SASRecOptions
from edge_rec.training import Request, train_run
from edge_rec_runtime import Catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.data import Dataset


@pytest.fixture(scope="session")
def log() -> Dataset:
    """Return the log."""
    return walks()


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, log: Dataset) -> Path:
    """Return the run directory of item neighbours, which need no graph and are converted at once; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("computed") / "run"
    train_run(log, folder, request=Request(model="item-item", shape={"neighbours": 8, "shrinkage": 0.0}))
    return folder


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory, log: Dataset) -> Path:
    """Return the run directory of a LightGCN of 16 dimensions, the network that is exported the soonest."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    train_run(log, folder, request=Request(model="lightgcn", shape={"dims": 16}, training={"epochs": 4}))
    return folder


@pytest.fixture
def model() -> SASRec:
    """Return a drawn SASRec of 16 dimensions."""
    options = SASRecOptions(dims=16, heads=2, feed_forward=32, max_length=8)
    return SASRec(options, Catalogue(tuple(f"i{row}" for row in range(ITEMS))), seed=1)
