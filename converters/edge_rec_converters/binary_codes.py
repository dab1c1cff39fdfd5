"""Fit one bit a dimension to an item table, by the scores that real queries give it.

The sign of a rotated vector is a poor code for an inner product: it knows nothing of the vector's length or of where queries
lie. Here a code stands for the vector ``scale * signs @ projection``, and signs, scales and projection are improved in
turn, as in additive quantisation, starting from the rotation of iterative quantisation (Gong and Lazebnik, CVPR 2011):

- each sign of an item, given the others: the one that brings its scores nearer to the true ones, over the calibration queries;
- the scale of an item: least squares of its scores;
- the projection of all: least squares of the vectors.

The error of item i over queries with covariance C is (v - v')' C (v - v'), so no score is ever computed.
"""

from __future__ import annotations

__all__ = ["fit_binary"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime import BinaryTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from edge_rec_converters.reference import Reference

_SEED = 0
_ROTATIONS = 50
_ROUNDS = 20  # ten more gain .002
_SWEEPS = 2
_SAMPLE = 20_000  # items that the first rotation is fitted to
_BLOCK = 8192  # items at a time: a large catalogue is never held twice in float64
_RIDGE = 0.1  # of the mean variance, so that fewer queries than dimensions still say something of every direction
_TINY = 1e-30


@dataclass(frozen=True)
class _Queries:
    """What is left of the calibration queries: their mean [dims] and covariance [dims, dims]."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def fit_binary(fit: Reference) -> BinaryTable:
    """Return the table as ``dims`` bits an item, a scale and a bias."""
    values, queries = fit.table.values, _moments(fit.queries.astype(np.float64))
    projection = _rotation(values)
    signs = np.empty(values.shape, np.bool_)
    for part in _blocks(len(values)):
        signs[part] = values[part] @ projection.T > 0
    for _ in range(_ROUNDS):
        projection = _improve(signs, projection, values, queries)
    scales, bias = _scales_and_bias(signs, projection, values, queries)
    unit = float(np.median(np.abs(scales))) or 1.0  # scales near 1 keep all their bits in float16
    offset = bias if fit.table.bias is None else bias + fit.table.bias
    return BinaryTable.pack(signs, scales / unit, offset, (projection * unit).astype(np.float32))


def _moments(queries: NDArray[np.float64]) -> _Queries:
    mean = queries.mean(axis=0)
    covariance = (queries - mean).T @ (queries - mean) / len(queries)
    variance = float(np.trace(covariance)) / len(mean) or 1.0
    return _Queries(mean, covariance + _RIDGE * variance * np.eye(len(mean)))


def _rotation(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the orthonormal [bits, dims] whose projections of ``values`` lie nearest to the corners of a cube."""
    rng = np.random.default_rng(_SEED)
    rows = rng.choice(len(values), min(len(values), _SAMPLE), replace=False)
    sample = values[np.sort(rows)].astype(np.float64)
    rotation = _nearest_rotation(rng.standard_normal((values.shape[1], values.shape[1])))
    for _ in range(_ROTATIONS):
        rotation = _nearest_rotation(np.sign(sample @ rotation.T).T @ sample)
    return rotation


def _nearest_rotation(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    left, _, right = np.linalg.svd(matrix)
    return np.asarray(left @ right, np.float64)


def _improve(
    signs: NDArray[np.bool_], projection: NDArray[np.float64], values: NDArray[np.float32], queries: _Queries
) -> NDArray[np.float64]:
    """Improve the signs in place, and return the projection that fits them best."""
    gram = projection @ queries.covariance @ projection.T
    codes_codes = np.zeros_like(gram)
    codes_values = np.zeros_like(projection)
    for part in _blocks(len(values)):
        vectors = values[part].astype(np.float64)
        codes = _plus_minus(signs[part])
        aims = vectors @ queries.covariance @ projection.T
        scales = _scales(codes, aims, gram)
        for _ in range(_SWEEPS):
            _sweep(codes, scales, aims, gram)
        signs[part] = codes > 0
        scaled = _scales(codes, aims, gram)[:, None] * codes
        codes_codes += scaled.T @ scaled
        codes_values += scaled.T @ vectors
    return np.asarray(np.linalg.lstsq(codes_codes, codes_values, rcond=None)[0], np.float64)


def _sweep(codes: NDArray[np.float64], scales: NDArray[np.float64], aims: NDArray[np.float64], gram: NDArray[np.float64]) -> None:
    """Set each sign of ``codes`` [items, bits], bit by bit, to what lowers scale^2 c'Gc - 2 scale c'aim, the others given."""
    found = codes @ gram
    for bit in range(codes.shape[1]):
        others = found[:, bit] - codes[:, bit] * gram[bit, bit]
        better = np.where(scales * (scales * others - aims[:, bit]) > 0, -1.0, 1.0)
        turned = np.flatnonzero(better != codes[:, bit])
        found[turned] += (2 * better[turned])[:, None] * gram[bit]
        codes[turned, bit] = better[turned]


def _scales(codes: NDArray[np.float64], aims: NDArray[np.float64], gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scale [items] with which the scores of each code are nearest to the true ones."""
    scales: NDArray[np.float64] = (codes * aims).sum(axis=1) / np.maximum(((codes @ gram) * codes).sum(axis=1), _TINY)
    return scales


def _scales_and_bias(
    signs: NDArray[np.bool_], projection: NDArray[np.float64], values: NDArray[np.float32], queries: _Queries
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each item the scale and bias [items] that bring its scores nearest to the true ones."""
    gram = projection @ queries.covariance @ projection.T
    scales, bias = np.empty(len(values)), np.empty(len(values))
    for part in _blocks(len(values)):
        codes = _plus_minus(signs[part])
        scales[part] = _scales(codes, values[part] @ queries.covariance @ projection.T, gram)
        bias[part] = values[part] @ queries.mean - scales[part] * (codes @ (projection @ queries.mean))
    return scales, bias


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, rows, _BLOCK))


def _plus_minus(signs: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.where(signs, 1.0, -1.0)
