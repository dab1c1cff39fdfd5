"""Fit one bit a dimension to an item table, by the scores that real queries give it.

The sign of a rotated vector is a poor code for an inner product: it loses the vector's length, and the rotation decides
how much else. Iterative quantisation (Gong and Lazebnik, CVPR 2011) turns the space until signs fit it; then each item gets
the scale and the bias with which its scores are nearest, in least squares, to the true ones on the calibration queries.
"""

from __future__ import annotations

__all__ = ["fit_binary"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime import BinaryTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_converters.reference import Reference

_ROUNDS = 50
_SEED = 0


def fit_binary(fit: Reference) -> BinaryTable:
    """Return the table as ``dims`` bits an item, a scale and a bias."""
    values = fit.table.values.astype(np.float64)
    rotation = _rotation(values - values.mean(axis=0))
    signs = (values - values.mean(axis=0)) @ rotation.T > 0
    scales, bias = _least_squares(signs, rotation, fit)
    return BinaryTable.pack(signs, scales, bias, rotation.astype(np.float32))


def _rotation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the orthonormal [bits, dims] whose projections of ``values`` lie nearest to the corners of a cube."""
    dims = values.shape[1]
    rotation, _ = np.linalg.qr(np.random.default_rng(_SEED).standard_normal((dims, dims)))
    for _ in range(_ROUNDS):
        corners = np.sign(values @ rotation.T)
        left, _, right = np.linalg.svd(corners.T @ values)
        rotation = left @ right
    return rotation


def _least_squares(
    signs: NDArray[np.bool_], rotation: NDArray[np.float64], fit: Reference
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each item the scale and bias [items] that bring its scores nearest to the true ones."""
    queries = fit.queries.astype(np.float64)
    truth = queries @ fit.table.values.T.astype(np.float64)
    found = (queries @ rotation.T) @ np.where(signs, 1.0, -1.0).T
    truth_mean, found_mean = truth.mean(axis=0), found.mean(axis=0)
    covariance = (truth * found).mean(axis=0) - truth_mean * found_mean
    variance = (found * found).mean(axis=0) - found_mean * found_mean
    scales = covariance / np.maximum(variance, 1e-12)
    bias = truth_mean - scales * found_mean
    return scales, bias if fit.table.bias is None else bias + fit.table.bias
