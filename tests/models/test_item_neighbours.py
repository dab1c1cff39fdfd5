"""EASE solves its regressions, item-item its cosines, and only the strongest weights stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec.data import Sequences
from edge_rec.models import EASE, EASEOptions, ItemItem, ItemItemOptions
from edge_rec.models.neighbours import co_occurrences, ease_weights, item_item_weights
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import ModelError

ITEMS = 8
CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(ITEMS)))

logs = st.lists(st.lists(st.integers(0, ITEMS - 1), max_size=9), min_size=1, max_size=12)


def _table(log: list[list[int]]) -> tuple[Sequences, np.ndarray[Any, Any]]:
    """Return a log, and who met what as [users, items] of 0 and 1."""
    offsets = np.cumsum([0, *map(len, log)]).astype(np.int64)
    table = np.zeros((len(log), ITEMS))
    for user, history in enumerate(log):
        table[user, history] = 1
    return Sequences(items=np.array([row for one in log for row in one], dtype=np.int32), offsets=offsets), table


@given(logs)
def test_co_occurrences_count_users(log: list[list[int]]) -> None:
    """A user who met an item twice is one user."""
    met, table = _table(log)
    np.testing.assert_array_equal(co_occurrences(met, ITEMS), table.T @ table)


@given(logs, st.sampled_from([0.5, 10.0]))
def test_ease_is_a_ridge_regression_for_each_item(log: list[list[int]], regularisation: float) -> None:
    """Column j is the ridge regression of item j on all others, solved one at a time."""
    met, table = _table(log)
    weights = ease_weights(co_occurrences(met, ITEMS), regularisation)
    for item in range(ITEMS):
        others = [row for row in range(ITEMS) if row != item]
        x = table[:, others]
        wanted = np.linalg.solve(x.T @ x + regularisation * np.eye(ITEMS - 1), x.T @ table[:, item])
        np.testing.assert_allclose(weights[others, item], wanted, rtol=1e-4, atol=1e-6)
    assert not np.diag(weights).any()


@given(logs, st.sampled_from([0.0, 5.0]))
def test_item_item_is_the_shrunk_cosine(log: list[list[int]], shrinkage: float) -> None:
    """Both / (sqrt(one x other) + shrinkage), and 0 where nobody met one of the two."""
    met, table = _table(log)
    weights = item_item_weights(co_occurrences(met, ITEMS), shrinkage)
    for one in range(ITEMS):
        for other in range(ITEMS):
            both, below = table[:, one] @ table[:, other], np.sqrt(table[:, one].sum() * table[:, other].sum()) + shrinkage
            wanted = 0.0 if one == other or both == 0 else both / below
            assert weights[one, other] == pytest.approx(wanted, rel=1e-5)


@given(st.integers(1, 33), st.integers(0, 99), st.sampled_from([1, 3, 1000]))
def test_the_strongest_stay(neighbours: int, seed: int, largest: int) -> None:
    """Each item keeps its own ten, then come the largest of all by magnitude, ties in row order, no zeros, rows ascending."""
    items = 30
    weights = np.random.default_rng(seed).integers(-largest, largest + 1, size=(items, items)).astype(np.float32)
    model = EASE.strongest(EASEOptions(neighbours=neighbours), Catalogue(tuple(map(str, range(items)))), weights)
    own = {
        (row, item)
        for row in range(items)
        for item in sorted(np.flatnonzero(weights[row]), key=lambda item: (-abs(weights[row, item]), item))[: min(10, neighbours)]
    }
    others = sorted({(*place,) for place in zip(*np.nonzero(weights), strict=True)} - own, key=lambda at: (-abs(weights[at]), at))
    wanted = sorted(own | set(others[: neighbours * items - len(own)]))
    rows = np.repeat(np.arange(items), np.diff(model.starts))
    assert list(zip(rows, model.items, strict=True)) == wanted
    np.testing.assert_array_equal(model.values, [weights[at] for at in wanted])


@pytest.mark.parametrize(
    ("options", "arrays", "message"),
    [
        ({"lambda": 3}, {}, "EASE has no option 'lambda'; its options are max_length, neighbours, regularisation"),
        ({"regularisation": 0}, {}, "regularisation=0 is not a number above 0"),
        ({"neighbours": 1.5}, {}, r"neighbours=1\.5 is not a whole number"),
        ({}, {"items": None}, "expected starts int64, items int32, values float32"),
        ({}, {"items": np.zeros(2)}, "items': 'float64"),
        ({}, {"starts": np.arange(ITEMS, dtype=np.int64)}, "not those of a catalogue of 8 items"),
        ({}, {"starts": np.array([0, 2, 1, 2, 2, 2, 2, 2, 2])}, "not those of a catalogue"),
        ({}, {"items": np.array([1, 8], dtype=np.int32)}, "not those of a catalogue"),
        ({}, {"values": np.array([1, np.nan], dtype=np.float32)}, "not finite"),
    ],
)
def test_parts_that_are_not_of_one_model_are_refused(options: dict[str, Any], arrays: dict[str, Any], message: str) -> None:
    """Every part is checked before it is used, and named."""
    weights = np.zeros((ITEMS, ITEMS), dtype=np.float32)
    weights[0, 1:3] = 1
    model = EASE.strongest(EASEOptions(neighbours=3), CATALOGUE, weights)
    stored = {name: value for name, value in (model.weights() | arrays).items() if value is not None}
    with pytest.raises(ModelError, match=message):
        EASE.restore(model.describe() | options, stored, CATALOGUE)


def test_item_item_takes_no_shrinkage_at_all() -> None:
    """0 is the plain cosine; below it nothing is meant."""
    assert ItemItemOptions(shrinkage=0).shrinkage == 0
    with pytest.raises(ModelError, match="item-item: shrinkage=-1 is not a number from 0 up"):
        ItemItemOptions(shrinkage=-1)
    assert ItemItem.name == "item-item"
