"""Matrix factorisation: what the fold-in solves, and what it must not depend on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec.models.mf import FoldIn, MatrixFactorisation, MFOptions
from edge_rec_converters import convert
from edge_rec_runtime import Catalogue, History, Precision, Recommender
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ITEMS, DIMS = 50, 6
OPTIONS = MFOptions(dims=DIMS, unobserved=0.2, regularisation=0.01, max_length=40, steps=12)
TABLE = np.random.default_rng(0).normal(scale=0.5, size=(ITEMS, DIMS)).astype(np.float32)
CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(ITEMS)))

histories = st.lists(st.integers(0, ITEMS - 1), min_size=1, max_size=40)


def minimum(history: list[int]) -> NDArray[np.float64]:
    """Return the vector that minimises a user's loss, by a dense solve in double precision."""
    table, met = TABLE.astype(np.float64), TABLE[history].astype(np.float64)
    pull = OPTIONS.regularisation * (len(history) + OPTIONS.unobserved * ITEMS)
    return np.linalg.solve(OPTIONS.unobserved * table.T @ table + met.T @ met + pull * np.eye(DIMS), met.sum(axis=0))


def fold_in(rows: list[int], *, padding: int = 0, filler: float = 0.0, options: MFOptions = OPTIONS) -> NDArray[np.float32]:
    """Return the vector of a history that is followed by padding."""
    vectors = torch.full((1, len(rows) + padding, DIMS), filler)
    vectors[0, : len(rows)] = torch.from_numpy(TABLE[rows])
    mask = torch.zeros(1, len(rows) + padding)
    mask[0, : len(rows)] = 1
    with torch.inference_mode():
        found: NDArray[np.float32] = FoldIn(TABLE, options)(vectors, mask)[0].numpy()
    return found


@given(histories)
def test_the_fold_in_finds_the_minimum_of_the_users_loss(history: list[int]) -> None:
    """For any history, repeated items included, within 1e-4 of a dense solve."""
    wanted = minimum(history)
    assert np.linalg.norm(fold_in(history) - wanted) <= 1e-4 * np.linalg.norm(wanted)


@given(histories, st.integers(0, 9), st.sampled_from([0.0, 1.0, -1e6]))
def test_padding_does_not_change_the_answer(history: list[int], padding: int, filler: float) -> None:
    """Neither its length nor what stands in it."""
    np.testing.assert_allclose(fold_in(history, padding=padding, filler=filler), fold_in(history), rtol=1e-5, atol=1e-6)


@given(st.permutations([3, 1, 4, 1, 5, 9]))
def test_the_order_of_events_does_not_matter(history: list[int]) -> None:
    """The user is a set of events, each as often as it happened."""
    np.testing.assert_allclose(fold_in(history), fold_in([3, 1, 4, 1, 5, 9]), rtol=1e-5, atol=1e-6)


def test_an_item_met_twice_counts_twice() -> None:
    """A second meeting moves the user towards the item."""
    once, twice = fold_in([3, 4]), fold_in([3, 4, 4])
    assert twice @ TABLE[4] > once @ TABLE[4]


def test_a_history_without_events_is_zero_and_alone() -> None:
    """Nothing is divided by zero, and the other histories of the batch keep their answers."""
    vectors = torch.from_numpy(TABLE[[[1, 2], [7, 8], [3, 9]]])
    mask = torch.tensor([[1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    with torch.inference_mode():
        found = FoldIn(TABLE, OPTIONS)(vectors, mask).numpy()
    assert (found[1] == 0).all()
    np.testing.assert_allclose(found[0], fold_in([1, 2]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[2], fold_in([3]), rtol=1e-5, atol=1e-6)


@settings(max_examples=20)
@given(histories)
def test_steps_after_the_last_useful_one_do_no_harm(history: list[int]) -> None:
    """Once nothing is left to correct the answer stands still."""
    far = fold_in(history, options=replace(OPTIONS, steps=60))
    assert np.linalg.norm(far - minimum(history)) <= 1e-4 * np.linalg.norm(minimum(history))


def model() -> MatrixFactorisation:
    """Return a model whose users are the fold-ins of one item each."""
    users = np.stack([fold_in([row]) for row in range(5)])
    return MatrixFactorisation(OPTIONS, CATALOGUE, TABLE, users)


def test_a_model_survives_its_description_and_weights() -> None:
    """What `describe` and `weights` give builds the same model."""
    again = MatrixFactorisation.restore(model().describe(), model().weights(), CATALOGUE)
    assert again.options == OPTIONS
    np.testing.assert_array_equal(again.item_vectors, TABLE)
    np.testing.assert_array_equal(again.user_vectors, model().user_vectors)


@pytest.mark.parametrize(
    ("options", "weights", "message"),
    [
        ({"dimz": 3}, {}, "no option 'dimz'; its options are dims, "),
        ({"dims": 0}, {}, "dims=0 is not a whole number from 1"),
        ({"dims": "6"}, {}, "dims='6' is not a whole number"),
        ({"unobserved": float("nan")}, {}, "unobserved=nan is not a number above 0"),
        ({"regularisation": 0}, {}, "regularisation=0 is not a number above 0"),
        ({}, {"users": None}, "found the weights items, expected items, users"),
        ({}, {"items": TABLE[:-1]}, r"items are float32 \[49, 6\], expected float32 \[50, 6\]"),
        ({}, {"items": TABLE.astype(np.float64)}, "items are float64"),
        ({}, {"users": TABLE * np.float32(np.inf)}, "users hold values that are not finite"),
        ({}, {"users": np.array(3, dtype=np.float32)}, r"users are float32 \[\], expected"),
    ],
)
def test_parts_that_are_not_of_one_model_are_refused(options: dict[str, Any], weights: dict[str, Any], message: str) -> None:
    """Every part is checked before it is used, and named."""
    stored = {name: value for name, value in (model().weights() | weights).items() if value is not None}
    with pytest.raises(ModelError, match=message):
        MatrixFactorisation.restore(model().describe() | options, stored, CATALOGUE)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["onnx", "tflite"])
def test_the_device_recommends_what_the_model_does(tmp_path: Path, target: str) -> None:
    """Converted, unknown users' histories of any length give the scores of the dense solve, and no event at all gives 0."""
    picked = np.random.default_rng(2)
    rows = [picked.choice(ITEMS, size=size, replace=False).tolist() for size in (1, 2, 9, 30, 40)]
    ids = [tuple(CATALOGUE.ids[row] for row in one) for one in rows]
    held_out = [History(one[:-1] or one, target=one[-1]) for one in ids]
    written = convert(
        model().source(), target=target, precision=Precision.parse("fp32"), histories=held_out, output=tmp_path / "mf.edgerec"
    )
    with Recommender.open(written.path) as recommender:
        for history, one in zip(ids, rows, strict=True):
            scores = recommender.score(history, CATALOGUE.ids)
            np.testing.assert_allclose(scores, TABLE @ minimum(one), rtol=1e-3, atol=1e-4)
        nothing = recommender.encode(np.ones((1, 8, TABLE.shape[1]), np.float32), np.zeros((1, 8), np.float32))
        assert not nothing.any()
