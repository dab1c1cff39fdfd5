"""Measure a table of neighbours against its source."""

from __future__ import annotations

__all__ = ["measure_neighbours"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.verification._agreement import Answer, answered, compare
from edge_rec_converters.verification._verdict import verdict
from edge_rec_runtime import Recommender, silent

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_converters.verification.record import RetrieverVerification
    from edge_rec_converters.windows import Windows
    from edge_rec_runtime import Progress
    from edge_rec_runtime.codes import NeighbourTable, SparseTable


def measure_neighbours(
    bundle: Path, table: SparseTable, users: Windows, *, gate: float, progress: Progress = silent
) -> RetrieverVerification:
    """Compare a bundle with its source.

    Args:
        bundle: The file.
        table: The source's weights.
        users: Held-out histories.
        gate: Least overlap@10 that passes.
        progress: Told how many users are done.

    Raises:
        BundleError: The bundle cannot be opened.
    """
    with Recommender.open(bundle) as opened:

        def answer(user: int) -> Answer:
            return answered(opened, opened.encode(*opened.gather(users.seen[user]))[0])

        agreement = compare(
            users,
            source=lambda user: table.scores(np.unique(users[user])),
            bundle=answer,
            popularity=opened.catalogue.popularity,
            progress=progress,
        )
        return verdict(
            agreement, users, gate=gate, backend=opened.backend, zero_rows=_silenced(table, opened.bundle.neighbours())
        )


def _silenced(before: SparseTable, after: NeighbourTable) -> int:
    """Count the items whose weights are all zero in the bundle and were not in the source."""
    count = 0
    for row in range(before.rows):
        start, stop = before.starts[row : row + 2].tolist()
        count += bool(before.values[start:stop].any() and not after.row(row)[1].any())
    return count
