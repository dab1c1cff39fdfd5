"""Rows as codes: what is packed comes back, and the scales are the best ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_rec_converters.row_codes import (
    pack_int4,
    pack_signs,
    quantise_binary,
    quantise_int4,
    quantise_rows,
    unpack_int4,
    unpack_signs,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=23)
_NUMBERS = st.floats(-1e4, 1e4, width=32, allow_subnormal=False)


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.int8, _SHAPES, elements=st.integers(-8, 7)))
def test_nibbles_come_back(codes: NDArray[np.int8]) -> None:
    """Two codes a byte, the first in the low nibble, and nothing but them."""
    packed = pack_int4(codes)
    assert packed.shape == (codes.shape[0], -(-codes.shape[1] // 2))
    assert np.array_equal(unpack_int4(packed, codes.shape[1]), codes)
    assert np.array_equal(packed[:, 0] & 15, codes[:, 0] & 15)


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.bool_, _SHAPES))
def test_signs_come_back(positive: NDArray[np.bool_]) -> None:
    """Eight signs a byte, the first in the highest bit."""
    packed = pack_signs(positive)
    assert np.array_equal(unpack_signs(packed, positive.shape[1]), np.where(positive, 1, -1))
    assert np.array_equal(packed[:, 0] >> 7, positive[:, 0])


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.float32, _SHAPES, elements=_NUMBERS))
def test_four_bits_are_no_worse_than_by_the_largest_magnitude(values: NDArray[np.float32]) -> None:
    """Each row's squared error is at most that of the scale max / 7; a row of zeros stays zeros."""
    packed, scales = quantise_int4(values)
    codes = unpack_int4(packed, values.shape[1])
    assert codes.min() >= -7
    assert (scales > 0).all()
    plain = np.maximum(np.abs(values).max(axis=1, keepdims=True).astype(np.float64) / 7, 1e-30)
    bound = ((np.clip(np.rint(values / plain), -7, 7) * plain - values) ** 2).sum(axis=1)
    error = ((codes * scales[:, None].astype(np.float64) - values) ** 2).sum(axis=1)
    assert (error <= bound * (1 + 1e-4) + 1e-10 * (values**2).sum(axis=1)).all()
    assert not (codes * scales[:, None])[~values.any(axis=1)].any()


def test_four_bits_gain_on_rows_like_trained_ones() -> None:
    """On Gaussian rows the fitted scale leaves less than nine tenths of the squared error of max / 7."""
    values = np.random.default_rng(0).normal(size=(500, 32)).astype(np.float32)
    packed, scales = quantise_int4(values)
    plain = np.abs(values).max(axis=1, keepdims=True) / 7
    error = ((unpack_int4(packed, 32) * scales[:, None] - values) ** 2).sum()
    assert error < 0.9 * ((np.rint(values / plain) * plain - values) ** 2).sum()


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.float32, _SHAPES, elements=_NUMBERS), st.booleans())
def test_no_other_scale_of_signs_is_better(values: NDArray[np.float32], centred: bool) -> None:  # noqa: FBT001 - drawn
    """A little more or less on every scale raises the squared error."""
    bits, scales, centre = quantise_binary(values, centred=centred)
    assert (centre is not None) == centred
    left = values.astype(np.float64) - (0 if centre is None else centre)
    signs = unpack_signs(bits, values.shape[1])

    def error(factor: float) -> NDArray[np.float64]:
        return np.asarray(((signs * (factor * scales[:, None].astype(np.float64)) - left) ** 2).sum(axis=1))

    slack = 1e-4 * (left**2).sum(axis=1) + 1e-9
    assert (error(1.0) <= error(1.05) + slack).all()
    assert (error(1.0) <= error(0.95) + slack).all()


def test_blocks_change_nothing() -> None:
    """A table of many blocks has the codes of its parts."""
    values = np.random.default_rng(1).normal(size=(20, 100_000)).astype(np.float32)
    packed, scales = quantise_int4(values)
    part, of_part = quantise_int4(values[12:15])
    assert np.array_equal(packed[12:15], part)
    assert np.array_equal(scales[12:15], of_part)
    assert quantise_rows(np.zeros((0, 4), np.float32))[0].shape == (0, 4)
