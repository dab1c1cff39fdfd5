"""A small SASRec that has learnt the walking log, and its run directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from walking_log import walks

from edge_rec.models import SASRec, SASRecOptions, write_run
from edge_rec.training import TrainingOptions, finetune, prepared

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.data import Dataset


@pytest.fixture(scope="session")
def walked() -> Dataset:
    """Return the log."""
    return walks()


@pytest.fixture(scope="session")
def trained(walked: Dataset) -> SASRec:
    """Return the model; tests leave it as it is."""
    split, catalogue = prepared(walked, core=1)
    drawn = SASRec(SASRecOptions(dims=16, heads=2, feed_forward=32, max_length=8), catalogue, seed=1)
    options = TrainingOptions(epochs=8, batch_users=8, learning_rate=0.02, warmup_steps=2, averaging=0.5)
    return finetune(drawn, split, options=options).model


@pytest.fixture(scope="session")
def folder(trained: SASRec, walked: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return its run directory."""
    path = tmp_path_factory.mktemp("quantised") / "run"
    write_run(path, trained, prepared(walked, core=1)[0], record={})
    return path
