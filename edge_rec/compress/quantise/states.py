"""What a frozen encoder makes of a log: its queries after events that were drawn from it."""

from __future__ import annotations

__all__ = ["asked_of", "sampled_states"]

from typing import TYPE_CHECKING

import numpy as np
import torch

from edge_rec.models.network import keep_all
from edge_rec.training import NextItem
from edge_rec_converters.reference import Reference
from edge_rec_converters.windows import Windows
from edge_rec_runtime import Fp32Table

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from edge_rec.data import Split
    from edge_rec.models import Network
    from edge_rec_runtime import Progress

_USERS = 64  # encoded together


@torch.no_grad()
def sampled_states(model: Network, split: Split, *, most: int, seed: int, progress: Progress) -> Tensor:
    """Return queries [n, dims] float32 after events of ``split.train``.

    Each user gives one window; where all of them give more than ``most`` queries, each gives its share.

    Args:
        model: The network.
        split: The log.
        most: Queries, about.
        seed: Decides the windows and the share.
        progress: Told how many users were asked.
    """
    context = [one.encode(split.user_attributes.get(one.name, [""] * len(split.train))) for one in model.context]
    objective = NextItem(split, max_length=model.options.max_length, users=_USERS, context=context)
    shared = objective.shared(model.eval())
    rng = np.random.default_rng([seed, 0])
    lengths = np.minimum(np.maximum(np.diff(split.train.offsets) - 1, 0), model.options.max_length)
    share = min(1.0, most / max(int(lengths.sum()), 1))
    states = []
    for number, parts in enumerate(objective.batches(rng), 1):
        for part in parts:
            found = objective.states(model, part, shared, drop=keep_all)
            kept = torch.from_numpy(rng.random(len(found)) < share)
            states.append(found[kept])
        progress(number, objective.steps, "queries of the log")
    return torch.cat(states)


def asked_of(vectors: NDArray[np.float32], queries: NDArray[np.float32]) -> Reference:
    """Return item vectors [items, dims] and the queries [n, dims] whose scores codes of them are to keep, for the converters."""
    nobody = Windows(seen=(), targets=np.empty(0, np.int64), max_length=1)
    return Reference(users=nobody, queries=queries, table=Fp32Table.encode(vectors))
