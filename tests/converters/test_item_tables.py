"""Item tables as the host encodes them: in the runtime's layouts, with what is worth a search on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_converters.compensation import second_moment
from edge_rec_converters.item_tables import item_tables
from edge_rec_converters.reference import Reference
from edge_rec_converters.row_codes import quantise_int4
from edge_rec_converters.windows import Windows
from edge_rec_runtime import Fp32Table, Int4Table, Int8Table, Precision
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edge_rec_runtime import ItemTable


def _fit(values: NDArray[np.float32], *, rank: int = 8, seed: int = 0) -> Reference:
    """A table asked by queries that live in few directions, as those of trained encoders do."""
    rng, dims = np.random.default_rng(seed), values.shape[1]
    queries = rng.normal(size=(300, min(rank, dims))) @ rng.normal(size=(min(rank, dims), dims)) + 0.1 * rng.normal(
        size=(300, dims)
    )
    nobody = Windows(seen=(), targets=np.empty(0, np.int64), max_length=1)
    return Reference(users=nobody, queries=queries.astype(np.float32), table=Fp32Table.encode(values, None))


def _encoded(fit: Reference, items: str) -> ItemTable:
    return item_tables(Precision.parse(f"items={items},network=fp32"), fit)["items"]


def _error(fit: Reference, table: ItemTable) -> NDArray[np.float64]:
    """The squared error of each item's scores over the queries and what stands for all other directions."""
    off = table.decode(np.arange(table.rows)).astype(np.float64) - fit.table.values
    return np.asarray(((off @ second_moment(fit.queries)) * off).sum(axis=1), np.float64)


_PLAIN: dict[str, Callable[[NDArray[np.float32]], ItemTable]] = {
    "int8": Int8Table.encode,
    "int4": lambda values: Int4Table.encode(values, scales=quantise_int4(values)[1]),
}


@pytest.mark.parametrize("items", ["int8", "int4"])
@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 70), st.sampled_from([1e-6, 1.0, 3e4]), st.integers(0, 2**32 - 1))
def test_scores_are_never_worse_than_of_values_rounded_one_by_one(
    items: str, rows: int, dims: int, norm: float, seed: int
) -> None:
    """Row by row, the arithmetic's rounding aside; rows of zeros stay zeros, and the bytes as many."""
    rng = np.random.default_rng(seed)
    values = (rng.normal(size=(rows, dims)) * norm * rng.choice([0, 1, 20], size=(rows, 1))).astype(np.float32)
    fit = _fit(values, seed=seed)
    found, plain = _encoded(fit, items), _PLAIN[items](values)
    assert (_error(fit, found) <= 1.001 * _error(fit, plain) + 1e-6 * (values.astype(np.float64) ** 2).sum(axis=1)).all()
    assert not found.decode(np.flatnonzero(~values.any(axis=1))).any()
    assert found.nbytes == plain.nbytes


@pytest.mark.parametrize(("items", "most"), [("int8", 0.3), ("int4", 0.5)])
def test_what_a_value_loses_the_others_make_good(items: str, most: float) -> None:
    """Where queries live in 8 of 64 directions, the squared error of scores falls to a fraction of that of plain rounding."""
    fit = _fit(np.random.default_rng(0).normal(size=(400, 64)).astype(np.float32))
    assert _error(fit, _encoded(fit, items)).sum() < most * _error(fit, _PLAIN[items](fit.table.values)).sum()


@pytest.mark.parametrize("items", ["int8", "int4"])
def test_pruned_values_stay_zero(items: str) -> None:
    """No error is passed on to a value that is 0: it would take its place in the file again."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(200, 48)).astype(np.float32) * (rng.random((200, 48)) < 0.3)
    assert not _encoded(_fit(values), items).decode(np.arange(200))[values == 0].any()


@pytest.mark.parametrize("items", ["int8", "int4"])
def test_a_table_on_the_grid_stays_as_it_is(items: str) -> None:
    """What quantisation-aware training put there is coded without a change of any bit."""
    plain = _PLAIN[items](np.random.default_rng(1).normal(size=(300, 48)).astype(np.float32))
    again = _encoded(_fit(plain.decode(np.arange(300))), items)
    for name, part in plain.parts().items():
        np.testing.assert_array_equal(again.parts()[name], part)


def test_scales_that_code_nothing_are_refused() -> None:
    """Too few, or one of 0 where the row is not zero: the row would vanish."""
    values = np.ones((3, 4), np.float32)
    with pytest.raises(ModelError, match="one an item"):
        Int4Table.encode(values, scales=np.ones(2, np.float32))
    with pytest.raises(ModelError, match=r"the scale of row 1 is 0\.0"):
        Int4Table.encode(values, scales=np.array([1, 0, 1], np.float32))
