"""Grids: what the network sees is what the converters and layouts store, to the bit, and rounding twice is rounding once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_rec.compress.quantise.finished import int4_of
from edge_rec.compress.quantise.grids import FixedGrid, Int4Items, Int8Items, Int8Weights, SignWeights, exact, straight_through
from edge_rec.compress.quantise.products import ProductBooks, ProductItems, product_codes, start_of_products
from edge_rec.compress.quantise.signs import SignItems, start_of_signs
from edge_rec_converters.row_codes import quantise_binary, quantise_rows
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

VALUES = arrays.arrays(
    np.float32, st.tuples(st.integers(1, 6), st.integers(2, 9)), elements=st.floats(-4, 4, width=32, allow_subnormal=False)
)
TINY = st.sampled_from([1.0, 1e-3, 2.0**-20, 1e4])


def _seen(module: torch.nn.Module, values: NDArray[np.float32]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = module(torch.from_numpy(values)).detach().numpy()
    return found


@settings(max_examples=40, deadline=None)
@given(VALUES, TINY)
def test_int8_weights_are_what_the_passes_store(values: NDArray[np.float32], size: float) -> None:
    """The converters find the same codes and scales in the rounded weights, whose decoding is the weights, to the bit."""
    seen = _seen(Int8Weights(), values * np.float32(size))
    codes, scales = quantise_rows(seen)
    np.testing.assert_array_equal(codes * scales[:, None], seen)
    np.testing.assert_array_equal(_seen(Int8Weights(), seen), seen)
    assert np.abs(seen - values * np.float32(size)).max() <= np.abs(values).max() * size / 127 * 0.51


@settings(max_examples=40, deadline=None)
@given(VALUES, TINY)
def test_items_on_a_grid_stay_there(values: NDArray[np.float32], size: float) -> None:
    """Item codes of the rounded vectors decode to the rounded vectors, in eight bits and in four."""
    scaled = values * np.float32(size)
    seen = _seen(Int8Items(), scaled)
    np.testing.assert_array_equal(Int8Items.table(torch.from_numpy(seen)).decode(np.arange(len(seen))), seen)
    four = _seen(Int4Items(scaled), scaled)
    np.testing.assert_array_equal(int4_of(four).decode(np.arange(len(four))), four)


def test_what_is_on_no_int4_grid_is_refused() -> None:
    """Values that no scale makes whole are not silently moved."""
    with pytest.raises(CompressionError, match="row 1 of the item table left the int4 grid"):
        int4_of(np.array([[1, 2], [1, 0.3]], np.float32))


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_signs_are_what_the_passes_store(values: NDArray[np.float32]) -> None:
    """The converters find the scale that was trained, and the signs."""
    seen = _seen(SignWeights(), values)
    bits, scales, _ = quantise_binary(seen, centred=False)
    signs = np.unpackbits(bits, axis=1, count=values.shape[1]).astype(np.float32) * 2 - 1
    np.testing.assert_array_equal(signs * scales[:, None], seen)


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_scales_of_eleven_bits_multiply_exactly(values: NDArray[np.float32]) -> None:
    """127 of a scale, over 127, is the scale."""
    scales = exact(np.abs(values).ravel() + np.float32(1e-30))
    np.testing.assert_array_equal(scales * np.float32(127) / np.float32(127), scales)


def test_fixed_point_rounds_as_numpy_does() -> None:
    """Multiples of the step, half to even, and no code beyond the range."""
    values = np.array([0.25, 0.75, -0.75, 0.3, 9.0, -9.0], np.float32)
    wanted = np.clip(np.rint(values / 0.5), -7, 7) * 0.5
    np.testing.assert_array_equal(_seen(FixedGrid(0.5, most=7), values), wanted)


def test_gradients_go_straight_through() -> None:
    """The free value gets the gradient of what is seen, and int4 scales get theirs."""
    free = torch.tensor([[0.1, -0.6, 0.9]], requires_grad=True)
    straight_through(free, torch.ones(1, 3)).backward(torch.tensor([[1.0, 2.0, 3.0]]))  # type: ignore[no-untyped-call]
    assert free.grad is not None
    np.testing.assert_array_equal(free.grad.numpy(), [[1, 2, 3]])
    items = Int4Items(free.detach().numpy())
    items(free).sum().backward()
    assert items.stretch.grad is not None
    assert float(items.stretch.grad.abs().sum()) > 0


def test_the_int4_scale_is_learnt_downhill() -> None:
    """From a scale that is too large, steps along the gradient lower the error to that of the best scale nearby."""
    values = torch.randn(8, 64, generator=torch.Generator().manual_seed(0))
    items = Int4Items(values.numpy())
    best = float((items(values) - values).square().sum())
    with torch.no_grad():
        items.stretch += 0.5
    begun = float((items(values) - values).square().sum())
    optimizer = torch.optim.Adam(items.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        (items(values) - values).square().sum().backward()
        optimizer.step()
    assert best * 1.2 > float((items(values) - values).square().sum())
    assert begun > best * 1.5


@pytest.mark.parametrize("bits", [3, 8, 20])
def test_signs_start_near_the_vectors(bits: int) -> None:
    """More bits leave less of the vectors, whether fewer or more than dimensions; the seed decides all of it."""
    vectors = np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)
    start = start_of_signs(vectors, bits, seed=3)
    assert start.latents.shape == (50, bits)
    assert start.basis.shape == (bits, 8)
    left = vectors - np.where(start.latents >= 0, 1, -1) @ start.basis
    assert (left**2).sum() < (vectors**2).sum() * {3: 0.85, 8: 0.45, 20: 0.2}[bits]
    np.testing.assert_array_equal(start_of_signs(vectors, bits, seed=3).latents, start.latents)


def test_signs_with_a_scale_are_signs_times_halves() -> None:
    """A scale is seen as float16 holds it, and gets a gradient."""
    items = SignItems(np.array([0.1, 3.0], np.float32))
    seen = items(torch.tensor([[1.0, -2.0], [0.0, 5.0]]))
    np.testing.assert_array_equal(seen.detach().numpy(), np.array([[1, -1], [1, 1]]) * np.float16([[0.1], [3.0]]))
    seen[0].sum().backward()
    seen = items(torch.tensor([[1.0, 2.0], [0.0, 5.0]]))
    seen.sum().backward()
    assert items.stretch is not None
    assert items.stretch.grad is not None
    assert float(items.stretch.grad[1]) > 0


@pytest.mark.parametrize("pieces", [1, 3, 4])
def test_products_are_told_from_the_vectors(pieces: int) -> None:
    """Codes and codebooks found again in trained vectors decode to them, whatever the pieces' width leaves over."""
    vectors = np.random.default_rng(1).standard_normal((40, 8)).astype(np.float32)
    start = start_of_products(vectors, None, pieces)
    seen = _seen(ProductItems(start), vectors)
    again = product_codes(seen, len(start.codebooks))
    np.testing.assert_array_equal(again.decode(np.arange(40)), seen)
    assert again.codes.shape == (40, len(start.codebooks))


def test_codes_stay_while_their_books_learn() -> None:
    """Only codebooks get a gradient; whatever they become, items that shared a piece share it still, as float16 holds it."""
    vectors = np.random.default_rng(2).standard_normal((300, 7)).astype(np.float32)
    start = start_of_products(vectors, None, 2)
    held, free = ProductBooks(start), torch.zeros(300, 7, requires_grad=True)
    np.testing.assert_array_equal(held(free).detach().numpy(), start.decode(np.arange(300)))
    held(free).square().sum().backward()
    assert free.grad is None
    assert held.books.grad is not None
    with torch.no_grad():
        held.books += held.books.grad
    moved = product_codes(held(free).detach().numpy(), 2)
    assert moved.codebooks.dtype == np.float16
    for before, after in zip(start.codes.T, moved.codes.T, strict=True):
        assert len(set(zip(before, after, strict=True))) == len(set(before)) == len(set(after))


def test_too_many_pieces_are_refused() -> None:
    """A byte numbers 256 of them."""
    with pytest.raises(CompressionError, match="300 different pieces"):
        product_codes(np.arange(600, dtype=np.float32).reshape(300, 2), 1)
