"""Sizes as polynomials against the numbers they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec_converters.targets.tflite._sizes import Dim, Size, at_least, broadcast, describe, divide, product
from edge_rec_runtime.errors import ConversionError

BATCH, LENGTH = Size.symbol("batch"), Size.symbol("length")
LEAVES: list[Dim] = [BATCH, LENGTH, 1, 2, 3]
sizes = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1]), st.tuples(inner, inner).map(lambda pair: pair[0] * pair[1])
    ),
    max_leaves=5,
)


def value(size: Dim, batch: int, length: int) -> int:
    """Return what a size is once the symbols are known."""
    if isinstance(size, int):
        return size
    known = {"batch": batch, "length": length}
    total = 0
    for names, count in size.terms:
        part = count
        for name in names:
            part *= known[name]
        total += part
    return total


@given(sizes, sizes, st.integers(1, 9), st.integers(1, 9))
def test_arithmetic_is_that_of_numbers(a: Dim, b: Dim, batch: int, length: int) -> None:
    """Sum, difference and product commute with putting numbers in, and equal sizes are equal objects."""
    x, y = value(a, batch, length), value(b, batch, length)
    assert value(a + b, batch, length) == x + y
    assert value(a - b, batch, length) == x - y
    assert value(a * b, batch, length) == x * y
    assert a + b == b + a
    assert a - a == 0
    assert (a + b) - b == a


@given(sizes, sizes)
def test_a_product_divides_by_its_factors(a: Dim, factor: Dim) -> None:
    """Division undoes multiplication, by sums such as ``length + 1`` too."""
    assert divide(a * factor, factor) == a


@given(sizes, st.integers(0, 4), st.integers(1, 9), st.integers(1, 9))
def test_a_lower_bound_holds_for_every_batch_and_length(a: Dim, number: int, batch: int, length: int) -> None:
    """What is certain is true for all histories."""
    if at_least(a - 1, number):
        assert value(a - 1, batch, length) >= number


@pytest.mark.parametrize(("total", "part"), [(LENGTH, BATCH), (3 * LENGTH, 2), (LENGTH + 1, LENGTH), (6, LENGTH + 1)])
def test_a_quotient_that_is_no_size_is_refused(total: Dim, part: Dim) -> None:
    """Nothing is rounded."""
    with pytest.raises(ConversionError):
        divide(total, part)


def test_shapes_broadcast_and_read_well() -> None:
    """1 gives way to any size, and shapes are shown as people write them."""
    assert broadcast((BATCH, 1, 64), (LENGTH, 1)) == (BATCH, LENGTH, 64)
    assert product(()) == 1
    assert describe((BATCH, LENGTH - 1, 64, BATCH * 2)) == "[batch, -1 + length, 64, 2*batch]"
    with pytest.raises(ConversionError, match=r"\[2, 3\] and \[4\]"):
        broadcast((2, 3), (4,))
