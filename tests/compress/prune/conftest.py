"""A small SASRec that was trained on the walks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_rec.training import Request, train_run

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.data import Dataset


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, log: Dataset) -> Path:
    """Return the run directory of a SASRec of 16 dimensions; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    shape = {"dims": 16, "heads": 2, "feed_forward": 32, "max_length": 8}
    train_run(log, folder, request=Request(shape=shape, training={"epochs": 4}))
    return folder
