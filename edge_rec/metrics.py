"""How well a model foretells held-out events: the rank of each user's target among all items that the user had not seen."""

from __future__ import annotations

__all__ = ["HeldOut", "Quality", "held_out", "quality", "scores"]

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import sparse

from edge_rec_converters.metrics import bootstrap_interval, hit_rate_at_k, mrr_at_k, ndcg_at_k
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_rec.data import Sequences
    from edge_rec_converters.protocol import NeighboursSource, RetrieverSource, Source

_TOGETHER = 128  # users scored at a time
_DENSE = 0.1  # share of weights beyond which a dense product is the faster one


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """What a model made of each user's held-out event.

    Attributes:
        ranks: [users] int64, 0-based rank of the target.
        top: [users, k] int32 rows of the best items not yet seen, -1 where there are fewer; [users, 0] unless asked for.
    """

    ranks: NDArray[np.int64]
    top: NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Means over users, and their 95 % bootstrap intervals.

    Attributes:
        users: How many users were asked about.
        hr: Share of the users whose target is among the first ten.
        ndcg: Mean NDCG@10.
        mrr: Mean reciprocal rank, 0 beyond the tenth.
        coverage: Share of the catalogue that is among the first ten of anybody, or None where the lists were not made.
    """

    users: int
    hr: float
    hr_ci: tuple[float, float]
    ndcg: float
    ndcg_ci: tuple[float, float]
    mrr: float
    mrr_ci: tuple[float, float]
    coverage: float | None = None

    def row(self) -> dict[str, object]:
        """Return the figures under the names that result files use."""
        return {
            "users": self.users,
            "hr_at_10": self.hr,
            "hr_at_10_ci": list(self.hr_ci),
            "ndcg_at_10": self.ndcg,
            "ndcg_at_10_ci": list(self.ndcg_ci),
            "mrr_at_10": self.mrr,
            "mrr_at_10_ci": list(self.mrr_ci),
            "coverage_at_10": self.coverage,
        }


def held_out(
    source: Source,
    histories: Sequences,
    targets: NDArray[np.int32],
    *,
    k: int = 0,
    users: Mapping[str, Sequence[str]] | None = None,
) -> HeldOut:
    """Rank each user's target among all items that are not in the history; the target is never left out.

    Of equal scores the smaller row ranks first, as on the device.

    Args:
        source: A model at the door; its encoder is a torch module.
        histories: Item rows, oldest first; only the last ``source.max_length`` are shown, all are excluded.
        targets: [users] item rows.
        k: Length of the lists to return.
        users: For each attribute of the users its value for each of them, "" where it is not known; models with context
            features are asked with it.

    Raises:
        ModelError: The model gives scores that are not finite, or ranks only candidates that it is given.
    """
    ranks = np.empty(len(targets), dtype=np.int64)
    top = np.full((len(targets), k), -1, dtype=np.int32)
    for asked, found in scores(source, histories, users or {}):
        if not np.isfinite(found).all():
            raise ModelError(f"{source.name}: some scores are not finite; the training diverged, train again with a smaller step")
        lines, wanted = np.arange(len(asked)), targets[asked]
        own = found[lines, wanted].copy()
        for line, user in enumerate(asked):
            found[line, histories[user]] = -np.inf
        found[lines, wanted] = own
        rows = np.arange(found.shape[1])
        before = (found > own[:, None]) | ((found == own[:, None]) & (rows < wanted[:, None]))
        ranks[asked] = before.sum(axis=1)
        if k:
            best = np.argsort(-found, axis=1, kind="stable")[:, :k]
            left = np.isfinite(np.take_along_axis(found, best, axis=1))
            top[asked, : best.shape[1]] = np.where(left, best, -1)
    return HeldOut(ranks=ranks, top=top)


def quality(found: HeldOut, *, items: int) -> Quality:
    """Sum up over users; ``items`` is the size of the catalogue."""
    per_user = [metric(found.ranks) for metric in (hit_rate_at_k, ndcg_at_k, mrr_at_k)]
    (hr, hr_ci), (ndcg, ndcg_ci), (mrr, mrr_ci) = ((float(values.mean()), bootstrap_interval(values)) for values in per_user)
    shown = found.top[found.top >= 0]
    coverage = len(np.unique(shown)) / items if found.top.shape[1] else None
    return Quality(
        users=len(found.ranks), hr=hr, hr_ci=hr_ci, ndcg=ndcg, ndcg_ci=ndcg_ci, mrr=mrr, mrr_ci=mrr_ci, coverage=coverage
    )


def scores(
    source: Source, histories: Sequences, known: Mapping[str, Sequence[str]]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield lines of ``histories`` and their scores [lines, items], those of similar length together.

    Args:
        source: A model at the door.
        histories: Item rows, oldest first; only the last ``source.max_length`` are shown.
        known: For each attribute of the users its value for each history.

    Raises:
        ModelError: The model ranks only candidates that it is given, or its encoder is no torch module.
    """
    if source.kind == "ranker":
        raise ModelError(f"{source.name}: a ranker scores given candidates and is judged by its AUC, not by ranks in a catalogue")
    return _neighbours(source, histories) if source.kind == "neighbours" else _retrieved(source, histories, known)


def _retrieved(
    source: RetrieverSource, histories: Sequences, known: Mapping[str, Sequence[str]]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    if isinstance(source.encoder, Path):
        raise ModelError(f"{source.name}: {source.encoder} is scored from its bundle; only torch encoders are scored here")
    nothing = [""] * len(histories)
    context = [torch.from_numpy(one.encode(known.get(one.name, nothing))) for one in source.context]
    table = torch.from_numpy(np.ascontiguousarray(source.item_table))
    with torch.inference_mode():
        for users, rows, mask in _windows(histories, source.max_length):
            vectors = table[torch.from_numpy(rows)]
            query = source.encoder(vectors, torch.from_numpy(mask), *(values[torch.from_numpy(users)] for values in context))
            scores: NDArray[np.float32] = (query @ table.T).numpy()
            yield users, scores if source.item_bias is None else scores + source.item_bias


def _neighbours(source: NeighboursSource, histories: Sequences) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield users and their scores [users, items]: what the distinct items of each window say of every item."""
    items = len(source.catalogue)
    rows = (source.values, source.items, source.starts)
    weights = sparse.csr_array(rows, shape=(items, items))  # type: ignore[no-untyped-call]  # scipy types nothing
    if len(source.values) > _DENSE * items * items:
        weights = weights.toarray()  # type: ignore[no-untyped-call]
    for users, events, mask in _windows(histories, source.max_length):
        met = np.zeros((len(users), items), dtype=np.float32)
        lines, places = np.nonzero(mask)
        met[lines, events[lines, places]] = 1
        yield users, np.asarray(met @ weights, dtype=np.float32)


def _windows(histories: Sequences, max_length: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]]:
    """Yield users, the item rows [users, length] of their newest events, and their mask; 0 in both after the end."""
    lengths = np.minimum(np.diff(histories.offsets), max_length)
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), _TOGETHER):
        users = order[start : start + _TOGETHER]
        rows = np.zeros((len(users), max(int(lengths[users].max()), 1)), dtype=np.int64)
        mask = np.zeros(rows.shape, dtype=np.float32)
        for line, user in enumerate(users):
            rows[line, : lengths[user]] = histories[user][len(histories[user]) - lengths[user] :]
            mask[line, : lengths[user]] = 1
        yield users, rows, mask
