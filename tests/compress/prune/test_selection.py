"""From scores to what stays: exactly as many as were asked for, the lowest of them, and never all of a group."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_rec.compress.prune.selection import blocks_of_four, lowest, row_masks, unit_masks, weight_masks
from edge_rec_runtime.errors import CompressionError

_SCORES = arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(0, 4, width=16))
_FOURS = st.tuples(st.integers(1, 5), st.sampled_from([4, 8, 12]))


@settings(deadline=None, max_examples=30)
@given(_SCORES, st.floats(0, 1))
def test_the_lowest_are_as_many_as_asked_for(scores: np.ndarray, share: float) -> None:
    """Nothing that is chosen scores more than anything that is not, and ties are broken by place."""
    count = round(share * scores.size)
    chosen = lowest(scores, count)
    assert chosen.sum() == count
    if 0 < count < scores.size:
        assert scores[chosen].max() <= scores[~chosen].min()
    order = np.argsort(scores.ravel(), kind="stable")[:count]
    assert np.array_equal(np.flatnonzero(chosen.ravel()), np.sort(order))


@settings(deadline=None, max_examples=30)
@given(st.lists(_SCORES, min_size=1, max_size=3), st.floats(0.01, 0.99), st.sampled_from(["global", "layer", "lamp"]))
def test_the_share_is_exact(several: list[np.ndarray], sparsity: float, scope: str) -> None:
    """Over all weights together, or in each layer, the share that goes is the rounded one."""
    scores = {f"w{number}": one for number, one in enumerate(several)}
    masks = weight_masks(scores, sparsity=sparsity, scope=scope)
    if scope == "layer":
        assert all((~masks[name]).sum() == round(sparsity * one.size) for name, one in scores.items())
    else:
        assert sum((~mask).sum() for mask in masks.values()) == round(sparsity * sum(one.size for one in several))
    for name, one in scores.items():
        assert masks[name].all() or not masks[name].any() or one[~masks[name]].max() <= one[masks[name]].min()


def test_lamp_compares_weights_by_their_share_of_the_layer() -> None:
    """A layer's scale does not matter, and its largest weight always goes last: its share is 1."""
    small = np.array([[1.0, 2.0, 3.0, 4.0]], dtype=np.float32)
    masks = weight_masks({"small": small * 1e-3, "large": small * 1e3}, sparsity=0.75, scope="lamp")
    assert masks["small"].tolist() == masks["large"].tolist() == [[False, False, False, True]]
    alone = weight_masks({"small": small * 1e-3, "large": small * 1e3}, sparsity=0.5, scope="global")
    assert not alone["small"].any()
    assert alone["large"].all()


@given(
    arrays.arrays(
        np.float32, st.tuples(st.integers(1, 5), st.integers(1, 4).map(lambda n: 4 * n)), elements=st.floats(0, 9, width=16)
    )
)
def test_two_of_every_four_stay(scores: np.ndarray) -> None:
    """In every block of four side by side in a row the two best stay."""
    kept = blocks_of_four({"w": scores})["w"].reshape(-1, 4)
    assert (kept.sum(axis=1) == 2).all()
    blocks = scores.reshape(-1, 4)
    assert all(one[stays].min() >= one[~stays].max() for one, stays in zip(blocks, kept, strict=True))


def test_an_odd_width_has_no_blocks_of_four() -> None:
    """The matrix and its width are named."""
    with pytest.raises(CompressionError, match="w is 6 wide"):
        blocks_of_four({"w": np.ones((2, 6), dtype=np.float32)})


def test_rows_go_whole() -> None:
    """The rows with the lowest means are gone, all others are untouched."""
    scores = np.array([[3, 1], [0, 0], [9, 0], [1, 1]], dtype=np.float32)
    assert row_masks({"table": scores}, sparsity=0.5)["table"].tolist() == [[True] * 2, [False] * 2, [True] * 2, [False] * 2]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(arrays.arrays(np.float32, st.integers(2, 8), elements=st.floats(0, 9, width=16)), min_size=1, max_size=3),
    st.floats(0.01, 0.99),
    st.sampled_from(["global", "layer"]),
)
def test_every_group_keeps_a_unit(several: list[np.ndarray], sparsity: float, scope: str) -> None:
    """As many units go as were asked for, at least one of each group stays, and what cannot be is refused."""
    scores = {f"g{number}": one for number, one in enumerate(several)}
    counts = {name: round(sparsity * one.size) for name, one in scores.items()}
    total, asked = sum(map(len, several)), round(sparsity * sum(map(len, several)))
    possible = all(counts[name] < one.size for name, one in scores.items()) if scope == "layer" else asked <= total - len(several)
    if not possible:
        with pytest.raises(CompressionError, match="leaves"):
            unit_masks(scores, sparsity=sparsity, scope=scope)
        return
    kept = unit_masks(scores, sparsity=sparsity, scope=scope)
    assert all(one.any() for one in kept.values())
    gone = sum(int((~one).sum()) for one in kept.values())
    assert gone == (sum(counts.values()) if scope == "layer" else asked)
