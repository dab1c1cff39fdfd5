"""The two kinds of tables: independent Gaussians, and a trained table resampled to as many rows as are wanted.

A trained catalogue has a few thousand rows. Drawn again and again they would be a table of ties, so each drawn row gets half the
difference of two other drawn rows on top, and the sum is shrunk to the spread that the catalogue has: a smoothed bootstrap.
Spectrum and clusters are those of the catalogue, and hardly any two rows are the same.
"""

from __future__ import annotations

__all__ = ["QUERIES", "resampled", "table", "trained_vectors"]

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from scanning.cases import Case

QUERIES = 64
_BLOCK = 100_000  # rows drawn at a time
_SMOOTHING = 0.5  # of the standard deviation


def table(case: Case, trained: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return vectors [rows, dims] and `QUERIES` queries [queries, dims], the same for the same case.

    Args:
        case: What is measured.
        trained: The ``.npz`` with the vectors and queries of a trained model.
    """
    if case.data == "gaussian":
        source, queries = None, np.random.default_rng(1).standard_normal((QUERIES, case.dims), dtype=np.float32)
    else:
        with np.load(trained) as held:
            source, queries = trained_vectors(held["items"], held["queries"], case.dims)
    values = np.empty((case.rows, case.dims), dtype=np.float32)
    for start in range(0, case.rows, _BLOCK):
        rng, part = np.random.default_rng((2, start)), values[start : start + _BLOCK]
        part[:] = rng.standard_normal(part.shape, dtype=np.float32) if source is None else resampled(source, len(part), rng)
    return values, queries


def trained_vectors(
    items: NDArray[np.float32], queries: NDArray[np.float32], dims: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return items and queries in the ``dims`` leading directions of the items, in no particular basis of these.

    Raises:
        ValueError: The items have fewer dims.
    """
    if items.shape[1] < dims:
        raise ValueError(f"the trained items have {items.shape[1]} values; {dims} are asked for, take a wider model")
    _, _, directions = np.linalg.svd(items, full_matrices=False)
    turn, _ = np.linalg.qr(np.random.default_rng(3).standard_normal((dims, dims)))
    basis = (directions[:dims].T @ turn).astype(np.float32)
    return items @ basis, queries @ basis


def resampled(source: NDArray[np.float32], rows: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return rows [rows, dims] drawn from those of a trained table."""
    centre = source.mean(axis=0)
    one, other, third = (source[rng.integers(len(source), size=rows)] for _ in range(3))
    drawn = one - centre + _SMOOTHING / np.sqrt(np.float32(2)) * (other - third)
    found: NDArray[np.float32] = (centre + drawn / np.sqrt(np.float32(1 + _SMOOTHING**2))).astype(np.float32)
    return found
