"""LightGCN: spreading is the published formula, its gradient too, and what is frozen needs no graph."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from next_item import DIMS, LONGEST, both_ways_agree, mask, neighbours_do_not_matter, no_state_looks_ahead, vectors

from edge_rec.data import Sequences
from edge_rec.models import GraphNetwork, LightGCN, LightGCNOptions, OneStep
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import ModelError

ITEMS = 6
CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(ITEMS)))
HISTORIES = [[0, 1, 2], [2, 3, 2], [4], []]  # an item met twice, a user who met nothing, an item (5) nobody met
MET = Sequences(
    items=np.array([row for one in HISTORIES for row in one], dtype=np.int32),
    offsets=np.cumsum([0, *map(len, HISTORIES)]).astype(np.int64),
)


def _network(layers: int = 2) -> GraphNetwork:
    return GraphNetwork(LightGCNOptions(dims=DIMS, layers=layers), CATALOGUE, met=MET)


def _by_definition(items: torch.Tensor, users: torch.Tensor, layers: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean over layers of e_i = sum over its users of e_u / sqrt(|N_i| |N_u|), and the same for users."""
    edges = torch.zeros(len(HISTORIES), ITEMS)
    for user, history in enumerate(HISTORIES):
        edges[user, history] = 1
    scaled = edges / (edges.sum(1, keepdim=True).clamp(min=1) * edges.sum(0, keepdim=True).clamp(min=1)).sqrt()
    all_items, all_users = [items], [users]
    for _ in range(layers):
        all_items, all_users = [*all_items, scaled.T @ all_users[-1]], [*all_users, scaled @ all_items[-1]]
    return torch.stack(all_items).mean(dim=0), torch.stack(all_users).mean(dim=0)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_spreading_is_the_published_formula(layers: int) -> None:
    """Vectors and gradients, an item met twice having one edge."""
    network = _network(layers)
    found, wanted = network.spread_out(), _by_definition(network.table, network.users, layers)
    weights = [vectors(*one.shape, seed=7) for one in wanted]
    losses = [sum((one * weight).sum() for one, weight in zip(both, weights, strict=True)) for both in (found, wanted)]
    parameters = (network.table, network.users)
    gradients = [torch.autograd.grad(loss, parameters, retain_graph=True) for loss in losses]  # type: ignore[arg-type]  # not 0
    for ours, theirs in zip((*found, *gradients[0]), (*wanted, *gradients[1]), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_frozen_vectors_are_the_spread_ones() -> None:
    """The frozen model has the spread vectors, scores as the network does, and comes back from its weights."""
    network = _network()
    frozen = network.frozen()
    np.testing.assert_array_equal(frozen.source().item_table, network.item_vectors().detach().numpy())
    np.testing.assert_array_equal(network.source().item_table, frozen.source().item_table)
    assert list(frozen.weights()) == ["table"]
    again = LightGCN.restore(frozen.describe(), frozen.weights(), CATALOGUE)
    np.testing.assert_array_equal(again.source().item_table, frozen.source().item_table)


def test_copies_share_the_graph_and_not_the_vectors() -> None:
    """Training keeps an average of the weights; changing it changes nothing else."""
    network = _network()
    before = network.item_vectors().detach().clone()
    other = copy.deepcopy(network)
    with torch.no_grad():
        other.users.zero_()
    torch.testing.assert_close(network.item_vectors().detach(), before)


def test_a_user_is_one_more_step() -> None:
    """The query points where the mean of the items does; padding, neighbours and order change nothing."""
    step = OneStep(max_length=LONGEST)
    neighbours_do_not_matter(step)
    given = vectors(1, 5, DIMS)
    query = step(given, mask([4], 5))
    torch.testing.assert_close(query, given[:, :4].mean(dim=1) * 2, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(step(given[:, [2, 0, 1, 3, 4]], mask([4], 5)), query, rtol=1e-5, atol=1e-6)


def test_newer_events_weigh_more() -> None:
    """Each event since costs a factor of e to the recency, whatever stands behind the end."""
    step = OneStep(max_length=LONGEST, recency=0.5)
    neighbours_do_not_matter(step)
    given = vectors(1, 5, DIMS)
    weights = torch.tensor([math.exp(-1.0), math.exp(-0.5), 1.0])
    wanted = (given[0, :3] * weights[:, None]).sum(dim=0, keepdim=True) / 3**0.5
    torch.testing.assert_close(step(given, mask([3], 5)), wanted, rtol=1e-5, atol=1e-6)


@settings(deadline=None, max_examples=20)
@drawn(st.lists(st.integers(1, LONGEST), min_size=1, max_size=6), st.sampled_from([0.0, 0.3, 100.0]))
def test_training_and_export_compute_the_same(lengths: list[int], recency: float) -> None:
    """The exported query is the state after the last event, and no state looks ahead."""
    model = LightGCN(LightGCNOptions(dims=DIMS, max_length=LONGEST, recency=recency), CATALOGUE)
    both_ways_agree(model, lengths)
    if recency < 1:  # beyond, older events hardly count
        no_state_looks_ahead(model)


@pytest.mark.parametrize("recency", [-1, 101, float("nan"), "much"])
def test_a_recency_that_means_nothing_is_refused(recency: float) -> None:
    """Only numbers from 0 to 100 are taken."""
    with pytest.raises(ModelError, match=r"recency=.* is not a number from 0 to 100"):
        LightGCNOptions(recency=recency)


def test_a_log_without_events_has_no_graph() -> None:
    """Nothing to spread over is said."""
    nobody = Sequences(items=np.zeros(0, dtype=np.int32), offsets=np.zeros(3, dtype=np.int64))
    with pytest.raises(ModelError, match="there is no graph"):
        GraphNetwork(LightGCNOptions(dims=DIMS), CATALOGUE, met=nobody)
