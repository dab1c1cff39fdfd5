"""Alternating least squares: users are solved for while items stand still, then items while users do, again and again."""

from __future__ import annotations

__all__ = ["Factorised", "factorise", "solve"]

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from edge_rec.data.interactions import Sequences
from edge_rec.metrics import held_out
from edge_rec.models.mf import MatrixFactorisation, MFOptions
from edge_rec_converters.metrics import ndcg_at_k
from edge_rec_runtime.errors import TrainingError
from edge_rec_runtime.progress import Progress, silent

if TYPE_CHECKING:
    from edge_rec.data.interactions import Split
    from edge_rec_runtime import Catalogue

_TOGETHER = 256  # systems factored at a time: 256 x 128 x 128 float32 are 17 MB


@dataclass(frozen=True, kw_only=True)
class Factorised:
    """What training came to.

    Attributes:
        model: The vectors of the best epoch.
        best_epoch: Counted from 1.
        epochs: One record an epoch: ``epoch``, ``ndcg_at_10`` on validation, ``seconds``.
        seconds: Training and evaluation.
    """

    model: MatrixFactorisation
    best_epoch: int
    epochs: list[dict[str, Any]]
    seconds: float


def factorise(
    split: Split,
    catalogue: Catalogue,
    *,
    options: MFOptions,
    epochs: int = 16,
    patience: int = 3,
    seed: int = 0,
    progress: Progress = silent,
) -> Factorised:
    """Factorise ``split.train``, choosing the epoch by NDCG@10 on ``split.validation``.

    Args:
        split: Leave-one-out; the test part is not looked at.
        catalogue: Ids of the items, in row order.
        options: The objective.
        epochs: At most; each solves for all items and then for all users.
        patience: Epochs without a better NDCG@10 before training stops.
        seed: Decides the first item vectors.
        progress: Told of each epoch.

    Raises:
        TrainingError: The vectors are no numbers any more.
    """
    start = torch.randn(len(catalogue), options.dims, generator=torch.Generator().manual_seed(seed))
    items = start * (0.1 / options.dims**0.5)  # the scale that Rendle et al. start from
    met_by = _turned(split.train, len(catalogue))
    users = solve(items, split.train, options)
    best, best_epoch, best_ndcg, records = None, 0, -1.0, list[dict[str, Any]]()
    for epoch in range(1, epochs + 1):
        progress(epoch - 1, epochs, f"best {max(best_ndcg, 0):.4f}")
        started = time.perf_counter()
        items = solve(users, met_by, options)
        users = solve(items, split.train, options)
        model = MatrixFactorisation(options, catalogue, items.numpy(), users.numpy())
        ndcg = float(ndcg_at_k(held_out(model.source(), split.train, split.validation).ranks).mean())
        records.append({"epoch": epoch, "ndcg_at_10": ndcg, "seconds": time.perf_counter() - started})
        if ndcg > best_ndcg:
            best, best_epoch, best_ndcg = model, epoch, ndcg
        elif epoch - best_epoch >= patience:
            break
    progress(epochs, epochs, f"best {best_ndcg:.4f}")
    if best is None:
        raise TrainingError(f"epochs={epochs} trains nothing; use 1 or more")
    return Factorised(model=best, best_epoch=best_epoch, epochs=records, seconds=sum(one["seconds"] for one in records))


def solve(table: Tensor, met: Sequences, options: MFOptions) -> Tensor:
    """Return the vector [sequences, dims] that fits each sequence of rows of ``table`` [rows, dims], by Cholesky.

    Raises:
        TrainingError: A system has no solution in float32.
    """
    shared = options.unobserved * (table.T @ table)
    identity = torch.eye(table.shape[1])
    pull = options.regularisation * (np.diff(met.offsets) + options.unobserved * len(table))
    rows = torch.from_numpy(met.items.astype(np.int64))
    solved = torch.empty(len(met), table.shape[1])
    for start in range(0, len(met), _TOGETHER):
        chunk = range(start, min(start + _TOGETHER, len(met)))
        seen = [table[rows[met.offsets[one] : met.offsets[one + 1]]] for one in chunk]
        systems = torch.stack([shared + one.T @ one + float(pull[at]) * identity for at, one in zip(chunk, seen, strict=True)])
        sums = torch.stack([one.sum(dim=0) for one in seen])
        factors, failed = torch.linalg.cholesky_ex(systems)
        if bool(failed.any()):
            raise TrainingError(
                f"the vectors cannot be solved for with regularisation={options.regularisation}; train again with more"
            )
        solved[start : start + len(chunk)] = torch.cholesky_solve(sums[:, :, None], factors).squeeze(2)
    return solved


def _turned(met: Sequences, items: int) -> Sequences:
    """Return the users of each item from the items of each user."""
    users = np.repeat(np.arange(len(met), dtype=np.int32), np.diff(met.offsets))
    counts = np.bincount(met.items, minlength=items)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])
    return Sequences(items=users[np.argsort(met.items, kind="stable")], offsets=offsets)
