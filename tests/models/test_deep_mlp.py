"""A deep MLP computes one thing in two ways, looks at nothing it must not, and is felt at both ends."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from next_item import DIMS, ITEMS, LONGEST, both_ways_agree, disturbed, neighbours_do_not_matter, no_state_looks_ahead

from edge_rec.models import DeepMLP, DeepMLPOptions
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import ModelError

CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(ITEMS)))


def _model(*, layers: int = 6) -> DeepMLP:
    return DeepMLP(DeepMLPOptions(dims=DIMS, hidden=24, layers=layers, max_length=LONGEST), CATALOGUE)


def _disturbed() -> DeepMLP:
    model = _model()
    disturbed(model)
    return model


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, LONGEST), min_size=1, max_size=6))
def test_training_and_export_compute_the_same(lengths: list[int]) -> None:
    """The exported query is the state after the last event, for any lengths."""
    both_ways_agree(_disturbed(), lengths)


def test_padding_and_neighbours_do_not_matter() -> None:
    """What stands behind the end of a history, or beside it in the batch, changes nothing."""
    neighbours_do_not_matter(_disturbed().encoder)


def test_no_state_looks_ahead() -> None:
    """A state knows the events up to its own."""
    no_state_looks_ahead(_disturbed())


def test_the_first_of_a_hundred_layers_learns() -> None:
    """As drawn, the gradient of the first residual layer is of the size of the last one's."""
    model = _model(layers=102)
    vectors = torch.randn(3, 8, DIMS, generator=torch.Generator().manual_seed(1)) / DIMS**0.5
    queries = model.states(vectors)
    told = (queries * torch.randn(queries.shape, generator=torch.Generator().manual_seed(2))).sum()
    weights = [model.get_parameter(f"encoder.layers.{number}.dense.weight") for number in (0, 99)]
    first, last = (float(one.norm()) for one in torch.autograd.grad(told, weights))
    assert 0.2 < first / last < 5
    dense = [one for one in model.encoder.modules() if isinstance(one, torch.nn.Linear)]
    assert len(dense) == 102


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": 0}, "deep MLP: hidden=0"),
        ({"layers": 2}, "deep MLP: layers=2 is not a whole number from 3"),
        ({"layers": 60000}, "deep MLP: layers=60000"),
        ({"heads": 2}, "deep MLP has no option 'heads'"),
    ],
)
def test_impossible_networks_are_refused(options: dict[str, object], message: str) -> None:
    """Options from a file are checked before anything of their size is built."""
    model = _model()
    with pytest.raises(ModelError, match=message):
        DeepMLP.restore(model.describe() | options, model.weights(), CATALOGUE)
