"""Bags of embeddings compute what torch's own operator does, in operators that engines have."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from edge_rec_converters.rewrites import rewritten
from edge_rec_converters.rewrites.embedding_bag import plain_embedding_bags
from edge_rec_runtime.errors import ConversionError


@settings(max_examples=60, deadline=None)
@given(
    mode=st.sampled_from(["sum", "mean", "max"]),
    padding=st.sampled_from([None, 0, 3, -1]),
    batch=st.integers(1, 4),
    length=st.integers(1, 6),
    seed=st.integers(0, 999),
)
def test_a_bag_is_torchs_bag(mode: str, padding: int | None, batch: int, length: int, seed: int) -> None:
    """Sum, mean and max, with and without padding, rows of padding alone included."""
    rng = torch.Generator().manual_seed(seed)
    bag = nn.EmbeddingBag(6, 3, mode=mode, padding_idx=padding)
    ids = torch.randint(0, 6, (batch, length), generator=rng)
    ids[0] = (padding or 0) % 6
    with torch.no_grad():
        wanted = bag(ids)
        with plain_embedding_bags():
            found = bag(ids)
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-6, atol=1e-7)


def test_weights_of_samples_are_kept() -> None:
    """``per_sample_weights`` multiply the rows of a sum, and padding still counts for nothing."""
    ids, weights, table = torch.tensor([[1, 2, 0], [3, 0, 0]]), torch.rand(2, 3), torch.rand(5, 4)
    wanted = functional.embedding_bag(ids, table, mode="sum", per_sample_weights=weights, padding_idx=0)
    with plain_embedding_bags():
        found = functional.embedding_bag(ids, table, mode="sum", per_sample_weights=weights, padding_idx=0)
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize(
    ("bag", "arguments", "sentence"),
    [
        (nn.EmbeddingBag(5, 2), (torch.tensor([1, 2, 3]), torch.tensor([0, 2])), "flat ids with offsets"),
        (nn.EmbeddingBag(5, 2, max_norm=1.0), (torch.tensor([[1, 2]]),), "max_norm"),
    ],
)
def test_bags_that_cannot_be_written_are_refused(bag: nn.Module, arguments: tuple[Tensor, ...], sentence: str) -> None:
    """Offsets make bags without a shape; a norm that is enforced at every call changes weights."""
    with pytest.raises(ConversionError, match=sentence), plain_embedding_bags():
        bag(*arguments)


def test_torch_is_as_it_was_afterwards() -> None:
    """After an export, and after one that failed, torch's own functions are called again."""
    fused = torch.backends.mha.get_fastpath_enabled()
    before = dict(torch.ops.aten.gru.input.py_kernels)
    with pytest.raises(ZeroDivisionError), rewritten():
        raise ZeroDivisionError
    assert torch.backends.mha.get_fastpath_enabled() is fused
    assert dict(torch.ops.aten.gru.input.py_kernels) == before
    assert nn.EmbeddingBag(5, 2)(torch.tensor([1, 2, 3]), torch.tensor([0, 2])).shape == (2, 2)
