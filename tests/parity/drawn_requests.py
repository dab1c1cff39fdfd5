"""Requests as an app makes them, of every sort that a model may meet."""

from __future__ import annotations

__all__ = ["Request", "history", "ranking"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_rec_converters import Ranker, Retriever
    from edge_rec_converters.protocol import Neighbours
    from edge_rec_runtime.features import Feature

STRANGE = "no such id"
_BEYOND = 9  # events beyond the window, at most


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        ids: The history, oldest first, or a ranker's candidates; perhaps with ids that nobody knows.
        rows: [known ids] int64 rows of the others.
        context: A value for each feature of the context.
        unknown: What the answer has to list as ignored.
    """

    ids: tuple[str, ...]
    rows: NDArray[np.int64]
    context: dict[str, object]
    unknown: tuple[str, ...]

    @property
    def told(self) -> dict[str, object] | None:
        """The context as a recommender takes it: None where there is none."""
        return self.context or None


def history(source: Retriever | Neighbours, given: str, seed: int) -> Request:
    """Draw a history of a sort, see `combinations.Case`."""
    rng = np.random.default_rng([seed, *given.encode()])
    events = _length(given, source.max_length, rng)
    rows = rng.choice(len(source.catalogue), events, replace=False)
    context = _context(source.context, given, (), rng) if source.kind == "retriever" else {}
    return _request(source.catalogue.ids, given, rows, context)


def ranking(source: Ranker, given: str, candidates: int, seed: int) -> Request:
    """Draw candidates, and a context of a sort whose lists of words are as long as histories are."""
    rng = np.random.default_rng([seed, *given.encode()])
    ids, items = source.catalogue.ids, len(source.catalogue)
    longest = max(one.longest for one in source.features if one.of == "context")
    past = rng.choice(items, 0 if given == "absent" else _length(given, longest, rng), replace=False)
    rows = rng.choice(items, candidates, replace=False)
    return _request(ids, given, rows, _context(source.features, given, [ids[row] for row in past], rng))


def _length(given: str, window: int, rng: np.random.Generator) -> int:
    lengths = {"one": 1, "full": window, "longer": window + 1 + int(rng.integers(_BEYOND))}
    return lengths.get(given) or int(rng.integers(2, max(window, 2) + 1))


def _request(ids: Sequence[str], given: str, rows: NDArray[np.int64], context: dict[str, object]) -> Request:
    chosen = [ids[row] for row in rows]
    if given != "unknown":
        return Request(tuple(chosen), rows.astype(np.int64), context, ())
    chosen.insert(len(chosen) // 2, STRANGE)
    words = (f"{name}={STRANGE}" for name, value in context.items() if not isinstance(value, float))
    return Request(tuple(chosen), rows.astype(np.int64), context, (STRANGE, *words))


def _context(features: Sequence[Feature], given: str, words: Sequence[str], rng: np.random.Generator) -> dict[str, object]:
    """Return a value for each feature of the context; ``words`` are those of lists."""
    context: dict[str, object] = {}
    for feature in (one for one in features if one.of == "context"):
        if feature.kind == "number":
            context[feature.name] = float(rng.random())
        elif given == "absent":
            context[feature.name] = None
        elif feature.kind == "category":
            context[feature.name] = STRANGE if given == "unknown" else str(rng.choice(feature.vocabulary))
        else:
            context[feature.name] = [STRANGE, *words] if given == "unknown" else list(words)
    return context
