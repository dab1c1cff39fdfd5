"""Ask a bundle's retriever graphs what an app would ask them, and hold the answers against the source's and the bundle's own."""

from __future__ import annotations

__all__ = ["measure_graphs"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from edge_rec_converters import metrics
from edge_rec_converters.verification.engines import ENGINES, open_retriever
from edge_rec_converters.verification.graph_record import GraphFindings, GraphVerification, judge
from edge_rec_converters.windows import spread_over
from edge_rec_runtime import Bundle, Recommender
from edge_rec_runtime.buckets import bucket
from edge_rec_runtime.search import best

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_converters.reference import Reference
    from edge_rec_converters.verification.engines import Run
    from edge_rec_converters.windows import Windows
    from edge_rec_runtime import Progress

_ASKED = 512  # histories, spread over all: an overlap is then known to some .004, and a million items take a minute
_K = 10
_CLOSE = 1e-3  # items may change places where scores differ by less, relative
_LONGEST = 1 << 30  # a graph takes histories of any length


@dataclass(frozen=True, kw_only=True)
class _First:
    """The first ten of an answer, or fewer where it has fewer: rows, -1 where nothing was left, and scores."""

    items: NDArray[np.int64]
    scores: NDArray[np.float32]

    @classmethod
    def of(cls, items: NDArray[Any], scores: NDArray[Any], k: int) -> Self:
        count, short = min(_K, k), max(min(_K, k) - len(items), 0)
        return cls(
            items=np.pad(items[:count].astype(np.int64), (0, short), constant_values=-1),
            scores=np.pad(scores[:count].astype(np.float32), (0, short), constant_values=-np.inf),
        )

    def is_as(self, other: _First) -> bool:
        """Whether the items are the same, in the same order."""
        return bool(np.array_equal(self.items, other.items))

    def is_apart(self, wanted: _First, exact: NDArray[np.float32]) -> bool:
        """Whether an item or a score differs by more than near-equal scores [items] explain."""
        left = wanted.items >= 0
        if not np.array_equal(self.items >= 0, left) or self.items.max(initial=-1) >= len(exact):
            return True
        found, due = exact[self.items[left]], exact[wanted.items[left]]
        limit = _CLOSE * np.maximum(np.maximum(np.abs(found), np.abs(due)), exact.std())
        return not bool((np.abs(found - due) <= limit).all() and (np.abs(self.scores[left] - found) <= limit).all())


def measure_graphs(bundle: Path, reference: Reference, *, gate: float, progress: Progress) -> dict[str, GraphVerification]:
    """Compare every retriever graph of a bundle, by target; nothing where it has none.

    Args:
        bundle: The file.
        reference: The source's answers on held-out histories.
        gate: Least overlap@10 that passes.
        progress: Told how many histories are done.

    Raises:
        BundleError: The bundle cannot be opened.
        BackendError: An engine cannot run a graph.
    """
    with Bundle.open(bundle) as held:
        member = held.manifest.retriever
    found: dict[str, GraphVerification] = {}
    if member is None:
        return found
    for target in member.members:
        with Recommender.open(bundle, backend=ENGINES[target][0]) as opened:
            found[target] = _measured(opened, target, member.k, reference, gate=gate, progress=progress)
    return found


def _measured(
    opened: Recommender, target: str, k: int, reference: Reference, *, gate: float, progress: Progress
) -> GraphVerification:
    users, graph = reference.users, opened.bundle.retriever_graph(target)
    run = open_retriever(target, graph)
    lengths = np.array([len(rows) for rows in users.seen])
    asked = np.unique(np.linspace(0, len(users) - 1, min(len(users), _ASKED)).astype(int))
    asked = asked[np.argsort(lengths[asked], kind="stable")]  # LiteRT plans every length anew, so like ones follow each other
    batch = asked[spread_over(lengths[asked])]
    together = dict(zip(batch.tolist(), _answers(run, users, batch, k, length=int(lengths[batch].max()) + 3), strict=True))
    batch_apart, same, apart, tops = 0, [], [], []
    for user in asked.tolist():
        [found] = _answers(run, users, np.array([user]), k, length=bucket(int(lengths[user]), _LONGEST))
        query = opened.encode(*opened.gather(users.seen[user], users.given[user]))[0]
        allowed = np.ones(len(opened.catalogue), np.bool_)
        allowed[users.seen[user]] = False
        wanted, exact = _First.of(*opened.search(query, k, allowed), k), opened.exact.scores(query)
        same.append(found.is_as(wanted))
        apart.append(found.is_apart(wanted, exact))
        batch_apart += user in together and together[user].is_apart(wanted, exact)
        tops.append((_source(reference, user, allowed, k).items, found.items))
        progress(len(same), len(asked), f"{target} graph")
    overlap = metrics.overlap_at_k(*np.array(tops).transpose(1, 0, 2))
    findings = GraphFindings(
        backend=opened.backend,
        k=k,
        bytes=len(graph),
        histories=len(asked),
        overlap_at_10=float(overlap.mean()),
        overlap_at_10_ci=metrics.bootstrap_interval(overlap),
        same_items=float(np.mean(same)),
        apart=float(np.mean(apart)),
    )
    return judge(
        findings,
        target=target,
        gate=gate,
        sampled=len(asked) < len(users),
        batch_apart=batch_apart,
        fallback=_falls_back(run, users, opened, k),
    )


def _answers(run: Run, users: Windows, chosen: NDArray[np.integer[Any]], k: int, *, length: int) -> list[_First]:
    """Ask for some users at once; one alone is padded after its end, several before their start."""
    history = np.full((len(chosen), length), -1, np.int32)
    for place, user in enumerate(chosen):
        rows = users.seen[user]
        history[place, slice(len(rows)) if len(chosen) == 1 else slice(length - len(rows), None)] = rows
    items, scores = run({"history": history, **{name: values[chosen] for name, values in users.context.items()}})
    return [_First.of(*one, k) for one in zip(items, scores, strict=True)]


def _source(reference: Reference, user: int, allowed: NDArray[np.bool_], k: int) -> _First:
    rows = np.flatnonzero(allowed)
    return _First.of(*best(rows, reference.table.scores(reference.queries[user])[rows], _K), k)


def _falls_back(run: Run, users: Windows, opened: Recommender, k: int) -> bool:
    """Whether a history without a known item gets what the runtime answers."""
    context = {name: values[:1] for name, values in users.context.items()}
    items, scores = run({"history": np.full((1, users.max_length), len(opened.catalogue), np.int32), **context})
    wanted = opened.recommend((), k=k, context=users.given[0])
    due = _First.of(opened.lookup(wanted.ids)[0], np.array([one.score for one in wanted], np.float32), k)
    found = _First.of(items[0], scores[0], k)
    return found.is_as(due) and bool(np.array_equal(found.scores, due.scores))
