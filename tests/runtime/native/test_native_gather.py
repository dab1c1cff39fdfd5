"""Rows decoded in C: the vectors that numpy decodes, to the bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_runtime import BinaryTable, Fp16Table, Fp32Table, Int4Table, Int8Table, PqTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from numpy.typing import NDArray

    from edge_rec_runtime import ItemTable

# layout -> a table of vectors [rows, dims], and what numpy decodes of its rows
MAKE: dict[str, Callable[[NDArray[np.float32]], ItemTable]] = {
    "fp32": Fp32Table.encode,
    "fp16": Fp16Table.encode,
    "int8": Int8Table.encode,
    "int4": Int4Table.encode,
    "signs": lambda values: BinaryTable.pack(values > 0),
    "scaled signs": lambda values: BinaryTable.pack(values > 0, values[:, 0]),
    "pq": lambda values: PqTable.pack(
        (np.abs(values[:, ::2]) * 10).astype(np.uint8) % 5,
        np.resize(values, (-(-values.shape[1] // 2), 5, 2)),
        dims=values.shape[1],
    ),
}


def by_numpy(table: ItemTable, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return what the reference decodes: the same table, its kernel taken away."""
    reference = type(table).from_parts(table.parts(), dims=table.dims)
    reference.__dict__["kernel"] = None
    decoded: NDArray[np.float32] = reference.decode(rows)
    return decoded


@settings(deadline=None)
@given(st.sampled_from(sorted(MAKE)), st.integers(1, 90), st.integers(1, 40), st.integers(0, 2**32))
def test_decoded_rows_are_numpys(layout: str, dims: int, count: int, seed: int) -> None:
    """Any rows in any order, repeated or not, of every layout that keeps vectors a row."""
    source = np.random.default_rng(seed)
    values = (source.normal(size=(50, dims)) * source.choice([1e-6, 1, 100], size=(50, 1))).astype(np.float32)
    table = MAKE[layout](values)
    assert table.kernel is not None
    rows = source.integers(0, 50, size=count)
    assert np.array_equal(table.decode(rows), by_numpy(table, rows))


def test_every_half_is_decoded(native: ModuleType) -> None:
    """All float16 numbers, the subnormal ones and both zeros too."""
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)].reshape(-1, 32)
    out = np.empty(halves.shape, np.float32)
    native.Fp16(halves).gather(np.arange(len(halves)), out)
    assert np.array_equal(out.view(np.uint32), halves.astype(np.float32).view(np.uint32))


def test_rows_outside_and_arrays_that_do_not_fit_are_refused(native: ModuleType) -> None:
    """An index past either end, an array of another shape or dtype, a read-only one: refused before anything is read."""
    kernel = native.Fp32(np.ones((4, 3), np.float32))
    out = np.zeros((2, 3), np.float32)
    for row in (-1, 4, 2**62, -(2**63)):
        with pytest.raises(IndexError, match="outside a table of 4 rows"):
            kernel.gather(np.array([0, row]), out)
    with pytest.raises(ValueError, match="out has length 2"):
        kernel.gather(np.array([0]), out)
    with pytest.raises(TypeError, match="expected int64"):
        kernel.gather(np.array([0, 1], np.int32), out)
    out.setflags(write=False)
    with pytest.raises(TypeError, match="writable"):
        kernel.gather(np.array([0, 1]), out)
    assert not out.any()


def test_what_numpy_takes_as_an_index_still_is_one() -> None:
    """Rows that the kernel refuses go to numpy: from the end, of another dtype, with gaps."""
    values = np.arange(24, dtype=np.float32).reshape(8, 3)
    table = Fp16Table.encode(values)
    assert np.array_equal(table.decode(np.array([-1, 2])), values[[-1, 2]])
    assert np.array_equal(table.decode(np.array([1, 2], np.int32)), values[[1, 2]])
    assert np.array_equal(table.decode(np.arange(8)[::3]), values[::3])
    with pytest.raises(IndexError):
        table.decode(np.array([8]))
