"""Item tables as the host encodes them: in the runtime's layouts, with what is worth a search on the host."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_converters.item_tables import item_tables
from edge_rec_runtime import Fp32Table, Int4Table, Precision
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_runtime import ItemTable


def _encoded(values: NDArray[np.float32]) -> ItemTable:
    fit = SimpleNamespace(table=Fp32Table.encode(values, None))
    return item_tables(Precision.parse("items=int4,network=fp32"), fit)["items"]  # type: ignore[arg-type]  # only its table is read


def _error(table: ItemTable, values: NDArray[np.float32]) -> NDArray[np.float64]:
    left = table.decode(np.arange(len(values))).astype(np.float64) - values
    return np.asarray((left**2).sum(axis=1), np.float64)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 70), st.sampled_from([1e-6, 1.0, 3e4]), st.integers(0, 2**32 - 1))
def test_int4_items_are_never_worse_than_by_their_largest_magnitude(rows: int, dims: int, norm: float, seed: int) -> None:
    """Row by row, the rounding of the stored scale aside; rows of zeros stay zeros."""
    rng = np.random.default_rng(seed)
    values = (rng.normal(size=(rows, dims)) * norm * rng.choice([0, 1, 20], size=(rows, 1))).astype(np.float32)
    found, plain = _encoded(values), Int4Table.encode(values)
    slack = 1e-3 * (values.astype(np.float64) ** 2).sum(axis=1)
    assert (_error(found, values) <= _error(plain, values) + slack).all()
    assert not found.decode(np.flatnonzero(~values.any(axis=1))).any()


def test_int4_items_gain_by_the_search() -> None:
    """On Gaussian rows a tenth of the squared error and more; codes stay in [-7, 7], and the bytes as many."""
    values = np.random.default_rng(0).normal(size=(400, 64)).astype(np.float32)
    found, plain = _encoded(values), Int4Table.encode(values)
    assert _error(found, values).sum() < 0.9 * _error(plain, values).sum()
    assert found.nbytes == plain.nbytes


def test_scales_that_code_nothing_are_refused() -> None:
    """Too few, or one of 0 where the row is not zero: the row would vanish."""
    values = np.ones((3, 4), np.float32)
    with pytest.raises(ModelError, match="one an item"):
        Int4Table.encode(values, scales=np.ones(2, np.float32))
    with pytest.raises(ModelError, match=r"the scale of row 1 is 0\.0"):
        Int4Table.encode(values, scales=np.array([1, 0, 1], np.float32))
