"""GRU4Rec computes one thing in two ways, and looks at nothing it must not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from next_item import DIMS, ITEMS, LONGEST, both_ways_agree, disturbed, neighbours_do_not_matter, no_state_looks_ahead

from edge_rec.models import GRU4Rec, GRU4RecOptions
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import ModelError

CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(ITEMS)))


def _model(*, layers: int = 1) -> GRU4Rec:
    model = GRU4Rec(GRU4RecOptions(dims=DIMS, hidden=24, layers=layers, max_length=LONGEST), CATALOGUE)
    disturbed(model)
    return model


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, LONGEST), min_size=1, max_size=6), st.integers(1, 2))
def test_training_and_export_compute_the_same(lengths: list[int], layers: int) -> None:
    """The exported query is the state after the last event, for any lengths and one or two layers."""
    both_ways_agree(_model(layers=layers), lengths)


def test_padding_and_neighbours_do_not_matter() -> None:
    """What stands behind the end of a history, or beside it in the batch, changes nothing."""
    neighbours_do_not_matter(_model().encoder)


def test_no_state_looks_ahead() -> None:
    """A state knows the events up to its own."""
    no_state_looks_ahead(_model())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": 0}, "GRU4Rec: hidden=0"),
        ({"dropout": 1}, "GRU4Rec: dropout=1"),
        ({"heads": 2}, "GRU4Rec has no option 'heads'"),
    ],
)
def test_impossible_networks_are_refused(options: dict[str, object], message: str) -> None:
    """Options from a file are checked before anything of their size is built."""
    model = _model()
    with pytest.raises(ModelError, match=message):
        GRU4Rec.restore(model.describe() | options, model.weights(), CATALOGUE)
