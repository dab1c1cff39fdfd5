"""Binary codes are fitted to scores: better than signs, the same each time, and 4 bytes an item beside the bits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_rec_converters.binary_codes import fit_binary
from edge_rec_converters.item_tables import encoder_table, item_tables
from edge_rec_runtime import BinaryTable, Fp32Table, Precision

if TYPE_CHECKING:
    from edge_rec_converters import Prepared
    from edge_rec_converters.reference import Reference
    from edge_rec_runtime import ItemTable


def _score_error(table: ItemTable, fit: Reference) -> float:
    """Return the root mean square error of scores over the calibration queries."""
    wanted = fit.queries @ fit.table.values.T
    found = np.stack([table.scores(query) for query in fit.queries])
    return float(np.sqrt(((found - wanted) ** 2).mean()))


def test_fitted_codes_score_better_than_signs(prepared: Prepared) -> None:
    """The error of the scores is below four fifths of that of plain signs with least-squares scales."""
    fit = prepared.fit
    values = fit.table.values
    scales = (np.abs(values)).mean(axis=1)
    plain = BinaryTable.pack(values > 0, scales, None, np.eye(values.shape[1], dtype=np.float32))
    assert _score_error(fit_binary(fit), fit) < 0.8 * _score_error(plain, fit)


def test_codes_take_a_bit_a_dimension_and_four_bytes(prepared: Prepared) -> None:
    """Items cost dims / 8 + 4 bytes; the projection is shared."""
    table = fit_binary(prepared.fit)
    items, dims = prepared.fit.table.values.shape
    assert table.nbytes - table.projection.nbytes == items * (dims // 8 + 4)


def test_fitting_is_deterministic(prepared: Prepared) -> None:
    """The same table and queries give the same bytes."""
    first, second = fit_binary(prepared.fit).parts(), fit_binary(prepared.fit).parts()
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("users", [1, 3])
def test_few_queries_still_give_codes(prepared: Prepared, users: int) -> None:
    """Fewer queries than dimensions leave directions without a score; the vectors themselves then decide."""
    fit = replace(prepared.fit, queries=prepared.fit.queries[:users])
    table = fit_binary(fit)
    decoded = table.decode(np.arange(table.rows))
    assert np.isfinite(decoded).all()
    assert np.corrcoef(decoded.ravel(), fit.table.values.ravel())[0, 1] > 0.5


def test_a_table_of_small_numbers_keeps_its_precision(prepared: Prepared) -> None:
    """Scales are stored near 1, so vectors of 1e-6 do not fall out of float16."""
    fit = prepared.fit
    small = replace(fit, table=Fp32Table.encode(fit.table.values * np.float32(1e-6)))
    ratio = fit_binary(small).decode(np.arange(5)) / fit_binary(fit).decode(np.arange(5))
    np.testing.assert_allclose(ratio, 1e-6, rtol=5e-3)


def test_the_bias_of_the_source_is_kept(prepared: Prepared) -> None:
    """An item bias is added to the fitted one."""
    fit = prepared.fit
    bias = np.linspace(-2, 2, fit.table.rows, dtype=np.float32)
    biased = replace(fit, table=Fp32Table.encode(fit.table.values, bias))
    added = fit_binary(biased).bias.astype(np.float32) - fit_binary(fit).bias.astype(np.float32)
    np.testing.assert_allclose(added, bias, atol=5e-3)


def test_each_precision_has_its_roles(prepared: Prepared) -> None:
    """The encoder is fed from the rescore table where there is one, else from the scanned one."""
    roles = {text: item_tables(Precision.parse(text), prepared.fit) for text in ("fp32", "int8", "binary", "binary-only")}
    assert {text: {role: table.layout for role, table in tables.items()} for text, tables in roles.items()} == {
        "fp32": {"items": "fp32"},
        "int8": {"items": "int8"},
        "binary": {"items": "binary", "rescore": "int8"},
        "binary-only": {"items": "binary"},
    }
    fed = [encoder_table(roles[one]).parts() for one in ("binary", "int8")]
    assert all(np.array_equal(fed[0][part], fed[1][part]) for part in fed[1])
