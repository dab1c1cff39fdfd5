"""Axes along which no value stands out: what is learnt, and that a rotation is all it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edge_rec.compress.quantise.rotation import in_axes, level_axes
from edge_rec.models import SASRec, SASRecOptions, Structure
from edge_rec_converters import prepare
from edge_rec_converters.kinds import Order
from edge_rec_runtime import Catalogue, History, Precision, silent


def _peaks(vectors: np.ndarray) -> float:
    """Return the mean of the largest magnitude over the root mean square."""
    return float((np.abs(vectors).max(axis=1) / np.sqrt((vectors**2).mean(axis=1))).mean())


def test_learnt_axes_level_what_chance_leaves() -> None:
    """Vectors with a few large values have lower peaks after the rotation than before, and than after a random one."""
    rng = np.random.default_rng(3)
    drawn = rng.standard_normal((600, 16)).astype(np.float32) * np.geomspace(8, 0.1, 16, dtype=np.float32)
    sides = [torch.from_numpy(part) for part in (drawn[:200], drawn[200:])]
    axes = level_axes(*sides, seed=0, progress=silent)
    np.testing.assert_allclose(axes @ axes.T, np.eye(16), atol=1e-5)
    by_chance = np.linalg.qr(rng.standard_normal((16, 16)))[0].astype(np.float32)
    for side in sides:
        found = _peaks(side.numpy() @ axes.T)
        assert found < 0.9 * _peaks(side.numpy())
        assert found < 0.95 * _peaks(side.numpy() @ by_chance)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_narrow_and_empty_vectors(width: int) -> None:
    """One value has one axis; vectors that are zero are passed over, all of them even."""
    items = torch.zeros(7, width)
    for queries in (torch.ones(4, width), torch.zeros(4, width)):
        axes = level_axes(items, queries, seed=0, progress=silent)
        np.testing.assert_allclose(axes @ axes.T, np.eye(width), atol=1e-5)


@torch.no_grad()
def test_a_network_in_other_axes_is_the_same() -> None:
    """Scores stay, only coordinates change; rotating twice is one rotation; pruned zeros are gone and no longer spoken of."""
    plain = _network()
    model = plain.with_structure(Structure(pruned=("table", "encoder.positions")), plain.weights())
    turns = [np.linalg.qr(np.random.default_rng(one).standard_normal((8, 8)))[0].astype(np.float32) for one in (1, 2)]
    once = in_axes(model, turns[0])
    twice = in_axes(once, turns[1])
    rows, mask = torch.tensor([[3, 1, 4], [1, 5, 9]]), torch.ones(2, 3)
    scores = [
        one.encoder(torch.from_numpy(one.item_table)[rows], mask).numpy() @ one.item_table.T
        for one in (network.source() for network in (model, once, twice))
    ]
    np.testing.assert_allclose(scores[1], scores[0], atol=1e-5)
    np.testing.assert_allclose(scores[2], scores[0], atol=1e-5)
    np.testing.assert_allclose(twice.weights()["item_basis"], turns[1] @ turns[0], atol=1e-6)
    assert (once.structure.pruned, once.structure.rotated) == (("encoder.positions",), True)


def test_axes_that_are_the_same_from_both_sides() -> None:
    """A graph may hold a symmetric basis once; what is to stay float is found all the same."""
    source = in_axes(_network(), np.eye(8, dtype=np.float32)).source()
    history = History(("i1", "i2"), target="i3")
    made = prepare(source, [history], targets=("onnx",))
    assert made.drafts(Order(target="onnx", precision=Precision.parse("items=int8,network=int8-weights")))


def _network() -> SASRec:
    return SASRec(
        SASRecOptions(dims=8, heads=2, blocks=1, max_length=6), Catalogue(tuple(f"i{row}" for row in range(12))), seed=2
    )
