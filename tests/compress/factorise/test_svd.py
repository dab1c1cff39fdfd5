"""Factors are the nearest ones of their rank, also where rows count more or less; ranks keep energy and budgets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec.compress.factorise.svd import decompose, rank_for_energy, ranks_for_bytes, saves


def _matrix(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns)) @ np.diag(0.8 ** np.arange(columns))


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 99), st.data())
def test_the_error_is_what_the_left_out_directions_hold(rows: int, columns: int, seed: int, data: st.DataObject) -> None:
    """Both ways to split leave a squared error of the sum of the left out squared singular values: no factors are nearer."""
    matrix = _matrix(rows, columns, seed)
    rank = data.draw(st.integers(1, min(rows, columns)))
    wanted = (np.linalg.svd(matrix, compute_uv=False)[rank:] ** 2).sum()
    found = decompose(matrix)
    for left, right in (found.rows(rank), found.balanced(rank)):
        assert left.shape == (rows, rank)
        assert right.shape == (rank, columns)
        assert left.dtype == right.dtype == np.float32
        np.testing.assert_allclose(((matrix - left @ right) ** 2).sum(), wanted, rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(1 - found.kept(rank), wanted / (matrix**2).sum(), rtol=1e-6, atol=1e-9)


def _weighted_error(matrix: np.ndarray, product: np.ndarray, weights: np.ndarray) -> float:
    return float((weights[:, None] * (matrix - product) ** 2).sum())


def test_rows_that_count_more_are_kept_better() -> None:
    """The weighted error is below that of plain factors, and the best that any of many drawn bases reaches."""
    matrix, weights = _matrix(40, 10), np.random.default_rng(1).integers(1, 100, size=40).astype(float) ** 2
    found = decompose(matrix, weights=weights)
    ours = _weighted_error(matrix, np.matmul(*found.rows(3)), weights)
    assert ours < _weighted_error(matrix, np.matmul(*decompose(matrix).rows(3)), weights)
    np.testing.assert_allclose(ours, (found.values[3:] ** 2).sum(), rtol=1e-4)
    rng = np.random.default_rng(2)
    for _ in range(200):
        basis = np.linalg.qr(found.basis[:3].T + rng.normal(size=(10, 3)) * 0.1)[0].T
        assert ours <= _weighted_error(matrix, matrix @ basis.T @ basis, weights) * (1 + 1e-6)


def test_rows_that_were_never_met_are_projected() -> None:
    """They decide nothing while others do, keep what the basis says of them, and get the directions that are left over."""
    matrix = np.vstack([np.eye(4)[:2] * 5, np.eye(4)[2:]])
    weights = np.array([3, 1, 0, 0])
    found = decompose(matrix, weights=weights)
    np.testing.assert_allclose(np.matmul(*found.rows(2)), np.vstack([matrix[:2], np.zeros((2, 4))]), atol=1e-6)
    np.testing.assert_allclose(np.matmul(*found.rows(4)), matrix, atol=1e-6)
    plain = decompose(matrix, weights=np.zeros(4))
    np.testing.assert_allclose(plain.values, decompose(matrix).values)


def test_a_matrix_of_zeros_has_factors() -> None:
    """Nothing is divided by nothing."""
    found = decompose(np.zeros((4, 3)))
    assert rank_for_energy(found, 0.9) == 1
    assert not np.matmul(*found.balanced(2)).any()


@given(st.floats(0.01, 0.999), st.integers(0, 20))
def test_the_least_rank_that_keeps_an_energy(energy: float, seed: int) -> None:
    """One less would not keep it."""
    found = decompose(_matrix(9, 6, seed))
    rank = rank_for_energy(found, energy)
    assert found.kept(rank) >= energy - 1e-12
    assert rank == 1 or found.kept(rank - 1) < energy


@given(st.integers(0, 4000), st.integers(0, 9))
def test_a_budget_is_kept_and_used(budget: int, seed: int) -> None:
    """Factors fit the budget, no direction more would, and below rank 1 for each there is no answer."""
    found = {"wide": decompose(_matrix(6, 20, seed)), "flat": decompose(_matrix(8, 8, seed + 1))}
    price = {name: 4 * sum(one.matrix.shape) for name, one in found.items()}
    ranks = ranks_for_bytes(found, budget)
    if ranks is None:
        assert budget < sum(price.values())
        return
    spent = sum(ranks[name] * price[name] for name in found)
    assert spent <= budget
    assert all(ranks[name] == min(found[name].matrix.shape) or spent + price[name] > budget for name in found)


@pytest.mark.parametrize(("rank", "wanted"), [(3, True), (4, False), (5, False)])
def test_factors_save_or_not(rank: int, wanted: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """An 8 x 8 matrix has 64 values, its factors 16 a rank."""
    assert saves((8, 8), rank) is wanted
