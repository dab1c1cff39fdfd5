"""Two towers: context reaches the query, what is not known has a meaning, and the user tower computes one thing in two ways."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from next_item import DIMS, ITEMS, LONGEST, both_ways_agree, disturbed, neighbours_do_not_matter, no_state_looks_ahead, vectors

from edge_rec.models import TwoTower, TwoTowerOptions
from edge_rec.models.two_tower import context_features
from edge_rec.training.dropout import DropoutPool
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import ModelError

GENRES = tuple((("Drama",), ("Comedy", "War"), ())[row % 3] for row in range(ITEMS))
CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(ITEMS)), attributes={"genres": GENRES})
CONTEXT = context_features({"gender": ("F", "M", ""), "age": ("25", "18", "25"), "shoe": ("", "", "")})
OPTIONS = TwoTowerOptions(dims=DIMS, hidden=24, feature_dims=4, max_length=LONGEST)


def _model() -> TwoTower:
    model = TwoTower(OPTIONS, CATALOGUE, context=CONTEXT)
    disturbed(model)
    return model


def _known(rows: int) -> tuple[torch.Tensor, ...]:
    return tuple((torch.arange(rows) % (len(one.vocabulary) + 1)).int() for one in CONTEXT)


def test_features_are_the_attributes_that_somebody_has() -> None:
    """Sorted words, index 0 for none; an attribute that nobody has is no feature."""
    assert [(one.name, one.vocabulary) for one in CONTEXT] == [("gender", ("F", "M")), ("age", ("18", "25"))]
    np.testing.assert_array_equal(CONTEXT[0].encode(("F", "M", "")), [1, 2, 0])


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, LONGEST), min_size=1, max_size=6))
def test_training_and_export_compute_the_same(lengths: list[int]) -> None:
    """The exported query is the state after the last event, with any context."""
    both_ways_agree(_model(), lengths, *_known(len(lengths)))


def test_padding_and_neighbours_do_not_matter() -> None:
    """What stands behind the end of a history, or beside it in the batch, changes nothing."""
    neighbours_do_not_matter(_model().encoder, *_known(4))


def test_no_state_looks_ahead() -> None:
    """A state knows the events up to its own."""
    no_state_looks_ahead(_model(), *_known(1))


@torch.inference_mode()
def test_context_decides_even_without_a_history() -> None:
    """The same empty history gives every gender its own query, the unknown one too."""
    queries = _model().encoder(torch.zeros(3, 2, DIMS), torch.zeros(3, 2), torch.arange(3).int(), torch.ones(3).int())
    assert len(torch.unique(queries, dim=0)) == 3


@torch.inference_mode()
def test_training_hides_context_from_some() -> None:
    """With dropout some users are asked as unknown ones, so that index 0 learns what it stands for."""
    model, known = _model(), (torch.ones(400).int(), torch.ones(400).int())
    hidden = []

    def watch(_: object, given: tuple[torch.Tensor, ...]) -> None:
        hidden.append(int((given[0] == 0).sum()))

    for table in model.encoder.features:
        table.register_forward_pre_hook(watch)
    model.states(vectors(400, 3, DIMS), *known, drop=DropoutPool(0.3, generator=torch.Generator().manual_seed(0)))
    assert all(70 <= count <= 170 for count in hidden)
    assert len(hidden) == 2


def test_attributes_move_an_item() -> None:
    """Two items whose ids learnt the same differ by their genres."""
    model = _model()
    with torch.no_grad():
        model.items.ids[:] = model.items.ids[0]
    table = model.source().item_table
    np.testing.assert_allclose(table[0], table[3], rtol=1e-5)
    assert np.abs(table[0] - table[1]).max() > 1e-3


def test_a_model_comes_back_with_its_words() -> None:
    """Options, words and weights describe it wholly."""
    model = _model()
    again = TwoTower.restore(model.describe(), model.weights(), CATALOGUE)
    assert again.context == CONTEXT
    np.testing.assert_array_equal(again.source().item_table, model.source().item_table)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"context": {"gender": ["F"], "age": ["18", "25"]}}, r"weight 'encoder\.features\.0\.weight' is float32 \[3, 4\]"),
        ({"context": ["gender"]}, "is not a list of words for each feature"),
        ({"context": {"gender": [1]}}, "is not a list of words for each feature"),
        ({"context": {"mask": ["F"]}}, "feature name 'mask' is not usable"),
        ({"hidden": 0}, "two-tower: hidden=0"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    """What a file says is checked before it is used."""
    model = _model()
    with pytest.raises(ModelError, match=message):
        TwoTower.restore(model.describe() | options, model.weights(), CATALOGUE)
