"""Ranking held-out events against the definition, spelled out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from edge_rec.data import Sequences
from edge_rec.metrics import held_out, quality
from edge_rec_converters.protocol import Neighbours, Ranker, Retriever
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import ModelError
from edge_rec_runtime.features import Feature

if TYPE_CHECKING:
    from numpy.typing import NDArray


class _Sum(nn.Module):
    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        return (vectors * mask[:, :, None]).sum(dim=1)


def _source(table: NDArray[np.float32], *, max_length: int = 50, bias: NDArray[np.float32] | None = None) -> Retriever:
    ids = tuple(f"i{row}" for row in range(len(table)))
    return Retriever(encoder=_Sum(), item_table=table, item_bias=bias, catalogue=Catalogue(ids), max_length=max_length)


def _sequences(histories: list[list[int]]) -> Sequences:
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in histories])]).astype(np.int64)
    return Sequences(items=np.array([row for one in histories for row in one], dtype=np.int32), offsets=offsets)


_users = st.lists(st.tuples(st.lists(st.integers(0, 8), max_size=7), st.integers(0, 8)), min_size=1, max_size=12)


@settings(deadline=None)
@given(_users, st.integers(1, 5), st.integers(0, 99), st.booleans())
def test_ranks_follow_the_definition(users: list[tuple[list[int], int]], max_length: int, seed: int, biased: bool) -> None:  # noqa: FBT001 - drawn
    """Rank = allowed items with a greater score, or an equal one and a smaller row; small whole numbers make many ties.

    Seen items are not allowed, beyond the window too; the target always is; the lists hold the best of what is allowed.
    """
    rng = np.random.default_rng(seed)
    table = rng.integers(-1, 2, size=(9, 3)).astype(np.float32)
    bias = rng.integers(0, 2, size=9).astype(np.float32) if biased else None
    targets = np.array([target for _, target in users], dtype=np.int32)
    histories = [history for history, _ in users]
    found = held_out(_source(table, max_length=max_length, bias=bias), _sequences(histories), targets, k=4)
    for user, (history, target) in enumerate(users):
        query = table[history[-max_length:]].sum(axis=0)
        scores = table @ query + (0 if bias is None else bias)
        allowed = [row for row in range(9) if row not in history or row == target]
        order = sorted(allowed, key=lambda row: (-scores[row], row))
        assert found.ranks[user] == order.index(target)
        assert found.top[user].tolist() == (order + [-1] * 4)[:4]


@given(_users, st.integers(1, 5), st.integers(0, 99), st.booleans())
def test_neighbours_speak_for_what_is_in_the_window(
    users: list[tuple[list[int], int]],
    max_length: int,
    seed: int,
    full: bool,  # noqa: FBT001 - drawn
) -> None:
    """Ranks follow the sum over the distinct items of the window, with sparse weights and with full ones."""
    weights = np.random.default_rng(seed).integers(-2, 3, size=(9, 9)).astype(np.float32)
    weights[np.random.default_rng(seed).random((9, 9)) > 0.08] *= full
    rows, items = np.nonzero(weights)
    starts = np.searchsorted(rows, np.arange(10))
    catalogue = Catalogue(tuple(f"i{row}" for row in range(9)))
    source = Neighbours(starts=starts, items=items, values=weights[rows, items], catalogue=catalogue, max_length=max_length)
    targets = np.array([target for _, target in users], dtype=np.int32)
    found = held_out(source, _sequences([history for history, _ in users]), targets)
    for user, (history, target) in enumerate(users):
        scores = weights[sorted(set(history[-max_length:]))].sum(axis=0)
        allowed = [row for row in range(9) if row not in history or row == target]
        assert found.ranks[user] == sorted(allowed, key=lambda row: (-scores[row], row)).index(target)


class _Asked(nn.Module):
    def forward(self, vectors: Tensor, mask: Tensor, group: Tensor) -> Tensor:
        return functional.one_hot(group.long(), 3).float() + 0.0 * vectors.sum(dim=1) * mask.sum(dim=1, keepdim=True)


def test_context_reaches_the_model() -> None:
    """Each user is asked with the own attribute, an unknown one as index 0, in whatever order the lengths put them."""
    group = Feature("group", "category", "context", ("a", "b"))
    source = replace(_source(np.eye(3, dtype=np.float32)), encoder=_Asked(), context=(group,))
    histories = _sequences([[0, 0, 0], [0], [0, 0]])
    ranks = [
        held_out(source, histories, np.array([1, 2, 2], dtype=np.int32), users=users).ranks.tolist()
        for users in ({"group": ("a", "b", "a")}, {"group": ("b", "a", "")}, {})
    ]
    assert ranks == [[0, 0, 1], [1, 1, 1], [0, 1, 1]]


def test_rankers_are_judged_elsewhere() -> None:
    """A ranker has no ranks in a catalogue, and is told so."""
    ranker = Ranker(network=nn.Identity(), features=(), item_values={}, catalogue=Catalogue(("a",)))
    with pytest.raises(ModelError, match="judged by its AUC"):
        held_out(ranker, _sequences([[0]]), np.array([0], dtype=np.int32))


def test_quality_sums_up() -> None:
    """Two users, one hit at rank 1 of a catalogue of 40: the means, and the share of the catalogue that was shown."""
    table = np.eye(40, dtype=np.float32)
    found = held_out(_source(table), _sequences([[3], [4]]), np.array([1, 39], dtype=np.int32), k=10)
    summary = quality(found, items=40)
    assert found.ranks.tolist() == [1, 38]
    assert (summary.users, summary.hr, summary.mrr) == (2, 0.5, 0.25)
    assert summary.ndcg == pytest.approx(0.5 / np.log2(3))
    assert summary.coverage == 11 / 40
    assert summary.row()["ndcg_at_10"] == summary.ndcg


def test_scores_that_are_no_numbers_are_refused() -> None:
    """NaN compares as not greater, which would rank every target first."""
    table = np.full((5, 2), np.nan, dtype=np.float32)
    with pytest.raises(ModelError, match="not finite"):
        held_out(_source(table), _sequences([[1]]), np.array([2], dtype=np.int32))


def test_a_file_is_not_scored_here() -> None:
    """A source whose encoder is a file has a bundle to be scored from."""
    source = replace(_source(torch.eye(3).numpy()), encoder=Path("encoder.onnx"))
    with pytest.raises(ModelError, match=r"encoder\.onnx"):
        held_out(source, _sequences([[1]]), np.array([2], dtype=np.int32))
