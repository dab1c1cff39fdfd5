"""Truncated singular value decomposition: the nearest product of two narrow matrices, and how narrow they may be.

Eckart and Young, "The approximation of one matrix by another of lower rank" (Psychometrika 1936). With weights on the rows it
stays exact, since a row's weight scales all of its error alike.
"""

from __future__ import annotations

__all__ = ["Decomposed", "decompose", "rank_for_energy", "ranks_for_bytes", "saves"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

_NEVER_MET = 1e-3  # what a row of weight 0 weighs, beside the lightest other: it gets what the others leave of the basis


@dataclass(frozen=True, kw_only=True)
class Decomposed:
    """A matrix [m, n], seen along the directions that tell most of it.

    Attributes:
        matrix: [m, n] float64.
        values: [min(m, n)] float64, singular values of the weighted matrix, falling.
        basis: [min(m, n), n] float64, orthonormal rows.
    """

    matrix: NDArray[np.float64]
    values: NDArray[np.float64]
    basis: NDArray[np.float64]

    @property
    def shares(self) -> NDArray[np.float64]:
        """Return the share of the energy, the sum of squares, in each direction; a matrix of zeros has all in the first."""
        energy = self.values**2
        total = energy.sum()
        if total == 0:
            energy[0] = total = 1.0
        shares: NDArray[np.float64] = energy / total
        return shares

    def kept(self, rank: int) -> float:
        """Return the share of the energy that a rank keeps."""
        return float(min(self.shares[:rank].sum(), 1.0))

    def rows(self, rank: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the matrix as [m, rank] @ [rank, n], the second with orthonormal rows: every row is projected."""
        basis = self.basis[:rank]
        return (self.matrix @ basis.T).astype(np.float32), basis.astype(np.float32)

    def balanced(self, rank: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the matrix as [m, rank] @ [rank, n], both as large along each direction, as training likes it."""
        basis = self.basis[:rank]
        sizes = np.linalg.norm(self.matrix @ basis.T, axis=0)
        roots = np.sqrt(np.where(sizes > 0, sizes, 1.0))
        return (self.matrix @ basis.T / roots).astype(np.float32), (basis * roots[:, None]).astype(np.float32)


def decompose(matrix: ArrayLike, *, weights: ArrayLike | None = None) -> Decomposed:
    """Decompose a matrix [m, n].

    Args:
        matrix: Finite numbers.
        weights: [m] how much the squared error of each row counts, from 0 up; all alike unless given.
    """
    values = np.asarray(matrix, dtype=np.float64)
    scaled = values
    if weights is not None and (counts := np.asarray(weights, dtype=np.float64)).any():
        lightest = counts[counts > 0].min()
        scaled = values * np.sqrt(np.where(counts > 0, counts, lightest * _NEVER_MET))[:, None]
    _, singular, basis = np.linalg.svd(scaled, full_matrices=False)
    return Decomposed(matrix=values, values=singular, basis=basis)


def rank_for_energy(found: Decomposed, energy: float) -> int:
    """Return the least rank that keeps a share of the energy, below 1."""
    return int(np.searchsorted(np.cumsum(found.shares), energy) + 1)


def saves(shape: tuple[int, int], rank: int) -> bool:
    """Tell whether two factors of a rank have fewer values than the matrix."""
    return rank * sum(shape) < shape[0] * shape[1]


def ranks_for_bytes(found: Mapping[str, Decomposed], budget: int) -> dict[str, int] | None:
    """Share a budget among matrices, so that what is lost of their energies sums to the least.

    Matrices count as if their weights were equally large: what follows a layer scales it anyhow. Directions are taken one by
    one, the one that tells most a byte first; a matrix's own come in the order of what they tell.

    Args:
        found: The matrices by name.
        budget: Bytes of all factors, in float32.

    Returns:
        A rank by name, or None where the budget is below rank 1 for each.
    """
    price = {name: 4 * sum(one.matrix.shape) for name, one in found.items()}
    left = budget - sum(price.values())
    if left < 0:
        return None
    worth = [
        (-share * one.matrix.size / price[name], name, number)
        for name, one in found.items()
        for number, share in enumerate(one.shares)
        if number
    ]
    ranks = dict.fromkeys(found, 1)
    full: set[str] = set()
    for _, name, _number in sorted(worth):
        if name in full:
            continue
        if price[name] > left:
            full.add(name)  # a later direction must not be taken before an earlier one
            continue
        ranks[name] += 1
        left -= price[name]
    return ranks
