"""A model that is not of the zoo, prepared once, and histories for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from mean_models import MeanEncoder, histories_of, source_of

from edge_rec_converters import Prepared, Retriever, prepare

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_runtime import History


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Keep torch to one core."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def mean_source() -> Retriever:
    """A small stranger's model."""
    torch.manual_seed(0)
    return source_of(MeanEncoder())


@pytest.fixture(scope="session")
def held_out() -> list[History]:
    """Histories to be judged by."""
    return histories_of(60)


@pytest.fixture(scope="session")
def prepared(mean_source: Retriever, held_out: list[History]) -> Prepared:
    """The small model, exported once."""
    return prepare(mean_source, held_out, calibration=histories_of(80, seed=2))


@pytest.fixture(scope="session")
def make_source() -> Callable[..., Retriever]:
    """Return `source_of`."""
    return source_of
