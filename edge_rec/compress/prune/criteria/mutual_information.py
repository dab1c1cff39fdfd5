"""What tells least about the next item, and what another tells already.

An activation is cut into bins of equal counts, equal values such as the zeros of a ReLU into one bin, and held against the group
that the next item belongs to, groups being clusters of the item vectors. The histogram's mutual information is corrected for what
chance alone would give (Miller 1955). What one channel shares with another that tells more of the target counts for that other:
Peng, Long and Ding, "Feature Selection Based on Mutual Information: Criteria of Max-Dependency, Max-Relevance, and
Min-Redundancy" (TPAMI 2005), as a quotient.
"""

from __future__ import annotations

__all__ = ["MutualInformation", "informed"]

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edge_rec.compress.prune.criteria.variance import inputs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_rec.compress.prune.criteria.criterion import Subject
    from edge_rec.compress.prune.groups import Group

_BINS = 8
_CLUSTERS = 16
_ROUNDS = 10  # of k-means
_TOGETHER = 64  # channels held against all others at a time


class MutualInformation:
    """How much of the next item's group an activation tells that no better one tells already."""

    needs_data: ClassVar[bool] = True

    def weights(self, subject: Subject) -> dict[str, NDArray[np.float32]]:
        """Return |w| times what its input tells."""
        found = _Told(subject)
        return {name: np.abs(values) * found.channels(name, values) for name, values in subject.values.items()}

    def units(self, subject: Subject, groups: Sequence[Group]) -> dict[str, NDArray[np.float32]]:
        """Return what the channels of a unit tell, summed."""
        found, scores = _Told(subject), {}
        weights = subject.model.weights()
        for group in groups:
            told = found.channels(group.silent.parameter, weights[group.silent.parameter])
            scores[group.name] = told.reshape(group.units, -1).sum(axis=1)
        return scores


class _Told:
    """The sample, looked at once."""

    def __init__(self, subject: Subject) -> None:
        model, evidence = subject.seen("mutual-information")
        self._inputs, targets = evidence.inputs(model)
        vectors = model.item_vectors().detach().numpy()
        self._groups = _clusters(vectors, min(_CLUSTERS, len(vectors)), seed=subject.seed)[targets]

    def channels(self, name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what each input of a matrix tells, [width]."""
        return informed(inputs_of(self._inputs, name, values, criterion="mutual-information"), self._groups)


def informed(activations: NDArray[np.float32], groups: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return what each channel tells of the group that no channel which tells more does, in nats.

    Args:
        activations: [events, channels].
        groups: [events] number of the group of the next item.
    """
    channels = activations.shape[1]
    constant = activations.max(axis=0) == activations.min(axis=0)
    of_channel = _one_hot(np.stack([_bins(one) for one in activations.T], axis=1), _BINS)
    told: NDArray[np.float64] = _mutual(of_channel, _one_hot(groups[:, None], int(groups.max()) + 1))[:, 0]
    told[constant] = 0
    order = np.lexsort((np.arange(channels), -told))
    place = np.argsort(order)  # 0 for the channel that tells most
    overlap = np.zeros(channels)
    for start in range(0, channels, _TOGETHER):
        part = slice(start, start + _TOGETHER)
        between = _mutual(of_channel[:, part], of_channel)
        better = (place[None, :] < place[part, None]) & ~constant[None, :]
        overlap[part] = np.where(better, between, 0).max(axis=1) / np.maximum(_entropy(of_channel[:, part]), 1e-12)
    return (told * (1 - np.clip(overlap, 0, 1))).astype(np.float32)


def _bins(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the bin [events] of each value [events]: that of the middle of all values that are equal to it."""
    ordered = np.sort(values)
    first, last = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    bins: NDArray[np.int64] = (first + last - 1) // 2 * _BINS // len(values)
    return bins


def _entropy(hot: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the entropy of every channel [channels], in nats: what another can tell of it at most."""
    shares = hot.mean(axis=0, dtype=np.float64)
    found: NDArray[np.float64] = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(axis=1)
    return found


def _one_hot(bins: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """Return [events, channels, count] of bin numbers [events, channels]."""
    hot: NDArray[np.float32] = (bins[:, :, None] == np.arange(count)).astype(np.float32)
    return hot


def _mutual(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mutual information of every two channels [channels of first, channels of second], at least 0."""
    events = len(first)
    joint = np.tensordot(first, second, axes=(0, 0)).astype(np.float64) / events
    alone = first.mean(axis=0)[:, :, None, None] * second.mean(axis=0)[None, None]
    ratio = np.divide(joint, alone, out=np.ones_like(joint), where=joint > 0)
    found = (joint * np.log(ratio)).sum(axis=(1, 3))
    filled = [(one.any(axis=0).sum(axis=1) - 1) for one in (first, second)]
    by_chance = filled[0][:, None] * filled[1][None] / (2 * events)
    beyond: NDArray[np.float64] = np.maximum(found - by_chance, 0)
    return beyond


def _clusters(vectors: NDArray[np.float32], count: int, *, seed: int) -> NDArray[np.int64]:
    """Return the cluster of each vector by k-means, [vectors]."""
    centres = vectors[np.random.default_rng(seed).choice(len(vectors), count, replace=False)]
    nearest = np.zeros(len(vectors), dtype=np.int64)
    for _ in range(_ROUNDS):
        nearest = np.argmin(np.square(centres).sum(axis=1) - 2 * vectors @ centres.T, axis=1)
        members = nearest[:, None] == np.arange(count)
        sizes = members.sum(axis=0)
        means = (members.T.astype(np.float32) @ vectors) / np.maximum(sizes, 1)[:, None]
        centres = np.where(sizes[:, None] > 0, means, centres)
    return nearest
