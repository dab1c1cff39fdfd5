"""Measure a retriever against its source."""

from __future__ import annotations

__all__ = ["measure_retriever"]

from typing import TYPE_CHECKING, cast

import numpy as np

from edge_rec_converters.verification._agreement import Answer, answered, compare
from edge_rec_converters.verification._verdict import verdict
from edge_rec_converters.verification.graphs import measure_graphs
from edge_rec_converters.windows import feed, spread_over
from edge_rec_runtime import Recommender, silent

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_converters.reference import Reference
    from edge_rec_converters.verification.record import RetrieverVerification
    from edge_rec_runtime import ItemTable, Progress

_PADDED = 3
_STOPS = 6  # lengths of a history at which it is looked at


def measure_retriever(bundle: Path, reference: Reference, *, gate: float, progress: Progress = silent) -> RetrieverVerification:
    """Compare a bundle with its source.

    Args:
        bundle: The file.
        reference: The source's answers on held-out histories.
        gate: Least overlap@10 that passes.
        progress: Told how many users are done.

    Raises:
        BundleError: The bundle cannot be opened.
        BackendError: No engine runs it, or it gives NaN.
    """
    users, table = reference.users, reference.table
    queries = np.empty((len(users), table.dims), np.float32)
    with Recommender.open(bundle) as opened:

        def answer(user: int) -> Answer:
            queries[user] = opened.encode(*opened.gather(users.seen[user], users.given[user]))[0]
            return answered(opened, queries[user])

        agreement = compare(
            users,
            source=lambda user: table.scores(reference.queries[user]),
            bundle=answer,
            popularity=opened.catalogue.popularity,
            progress=progress,
        )
        return verdict(
            agreement,
            users,
            gate=gate,
            backend=opened.backend,
            zero_rows=_zero_rows(opened, reference),
            drift=_batch_drift(opened, reference, queries),
            constant=_is_constant(queries) and not _is_constant(reference.queries),
            steps_drift=_steps_drift(opened, reference, queries) if opened.bundle.manifest.steps else None,
            retriever=measure_graphs(bundle, reference, gate=gate, progress=progress),
        )


def _batch_drift(opened: Recommender, reference: Reference, alone: NDArray[np.float32]) -> float:
    """Compare queries computed one by one with those of a batch padded beyond its longest history."""
    users, exact = reference.users, cast("ItemTable", opened.exact)
    tried = spread_over(users.lengths())
    length = min(max(len(users[user]) + _PADDED for user in tried), users.max_length)
    together = opened.encode(*feed(users, tried, exact.decode, dims=exact.dims, length=length).values())
    spread = float(reference.queries.std()) or 1.0
    return float(np.abs(together - alone[tried]).max()) / spread


def _steps_drift(opened: Recommender, reference: Reference, whole: NDArray[np.float32]) -> float:
    """Compare queries that were reached event by event with those of the whole history, on the way and at its end."""
    users, ids = reference.users, opened.catalogue.ids
    spread = float(reference.queries.std()) or 1.0
    worst = 0.0
    for user in spread_over(users.lengths()):
        rows = users[user]
        stops = np.unique(np.linspace(1, len(rows), min(len(rows), _STOPS)).astype(int))
        session = opened.session([ids[row] for row in rows[: stops[len(stops) // 2]]])
        for stop in stops[stops >= len(session)]:
            while len(session) < stop:
                session.add(ids[rows[len(session)]])
                session.query()  # takes the event in now, alone
            wanted = whole[user] if stop == len(rows) else opened.encode(*opened.gather(rows[:stop]))[0]
            worst = max(worst, float(np.abs(session.query() - wanted).max()) / spread)
    return worst


def _zero_rows(opened: Recommender, reference: Reference) -> int:
    """Count items that have a vector in the source and none in the bundle."""
    count, step = 0, 8192
    for role in {"items", "rescore"} & opened.bundle.manifest.layouts.keys():
        table = opened.bundle.table(role)
        for start in range(0, table.rows, step):
            rows = np.arange(start, min(start + step, table.rows))
            before = np.any(reference.table.values[rows] != 0, axis=1)
            count += int((before & ~np.any(table.decode(rows) != 0, axis=1)).sum())
    return count


def _is_constant(queries: NDArray[np.float32]) -> bool:
    return len(queries) > 1 and float(np.ptp(queries, axis=0).max()) <= 1e-6 * (float(np.abs(queries).max()) or 1.0)
