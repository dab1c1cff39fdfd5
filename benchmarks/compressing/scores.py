"""A bundle's answers to every test user, asked one by one as a device asks, and kept beside the file."""

from __future__ import annotations

__all__ = ["Scored", "scored"]

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from edge_rec_runtime import Recommender
from edge_rec_runtime.atomic import replace_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_runtime import History

_K = 10


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What a bundle makes of some users.

    Attributes:
        ranks: [users] int64 0-based rank of the held-out event among the first ten, 10 beyond them.
        top: [users, 10] int64 rows of the first ten items, -1 where there are fewer.
    """

    ranks: NDArray[np.int64]
    top: NDArray[np.int64]


def scored(bundle: Path, histories: Sequence[History]) -> Scored:
    """Ask a bundle, or read what it answered before.

    Everything that a user has seen is left out, the held-out event never.

    Args:
        bundle: The file.
        histories: With targets of its catalogue.
    """
    kept, mark = bundle.with_suffix(".scores.safetensors"), _mark(bundle, histories)
    if kept.exists():
        with safe_open(kept, framework="numpy") as stored:
            if (stored.metadata() or {}).get("of") == mark:
                return Scored(ranks=stored.get_tensor("ranks"), top=stored.get_tensor("top"))
    found = _asked(bundle, histories)
    content = save({"ranks": found.ranks, "top": found.top}, metadata={"of": mark})
    replace_file(kept, lambda stream: stream.writelines([content]))
    return found


def _asked(bundle: Path, histories: Sequence[History]) -> Scored:
    ranks = np.full(len(histories), _K, np.int64)
    top = np.full((len(histories), _K), -1, np.int64)
    with Recommender.open(bundle, verify="full") as opened:
        for user, one in enumerate(histories):
            rows, _ = opened.lookup(one.events)
            target = opened.catalogue.row(str(one.target))
            allowed = np.ones(len(opened.catalogue), np.bool_)
            allowed[rows] = False
            allowed[target] = True
            found, _ = opened.search(opened.encode(*opened.gather(rows, one.context))[0], _K, allowed)
            top[user, : len(found)] = found
            if (places := np.flatnonzero(found == target)).size:
                ranks[user] = places[0]
    return Scored(ranks=ranks, top=top)


def _mark(bundle: Path, histories: Sequence[History]) -> str:
    """Return what tells whether answers are those of this file to these users."""
    digest = hashlib.sha256(bundle.read_bytes())
    for one in histories:
        digest.update(f"{one.target} {len(one.events)}\n".encode())
    return digest.hexdigest()
