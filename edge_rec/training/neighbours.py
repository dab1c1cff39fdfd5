"""Neighbours are computed, not trained: what is learnt from validation is how strongly to regularise and how far to look."""

from __future__ import annotations

__all__ = ["Grid", "choose"]

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec.metrics import held_out
from edge_rec.models.neighbours import EASE, ItemItem, co_occurrences
from edge_rec.training.request import Fitted
from edge_rec_converters.metrics import ndcg_at_k

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from edge_rec.data import Split
    from edge_rec_runtime import Catalogue, Progress

# On MovieLens-1M the largest 200 an item of the whole table keep 99.8 % of EASE, each item's own 200 98.7 %. Cosines have no such
# head: of item-item 800 an item keep 98.8 %.
_KEPT = 0.995  # of the best NDCG@10 on validation that fewer weights must keep


@dataclass(frozen=True)
class Grid:
    """What is tried.

    Attributes:
        model: What is made.
        weights: From co-occurrences [items, items] and a strength to weights [items, items].
        strength: The option that regularises.
        strengths: Its values.
        lengths: Values of ``max_length``.
        neighbours: Values of ``neighbours``, ascending; the first that keeps 99.5 % of what all of them give is taken.
    """

    model: type[EASE | ItemItem]
    weights: Callable[[NDArray[np.float64], float], NDArray[np.float32]]
    strength: str
    strengths: tuple[float, ...]
    lengths: tuple[int, ...] = (3, 5, 8, 12, 20, 2400)
    neighbours: tuple[int, ...] = (20, 50, 100, 200, 400, 800)


def choose(grid: Grid, split: Split, catalogue: Catalogue, given: Mapping[str, Any], *, progress: Progress) -> Fitted:
    """Return the neighbours with the best NDCG@10 on validation, and what was tried.

    Args:
        grid: What is tried.
        split: Leave-one-out; the test part is not looked at.
        catalogue: The items, in row order.
        given: Options that are not to be chosen.
        progress: Told of each strength.
    """
    started = time.perf_counter()
    counts = co_occurrences(split.train, len(catalogue))
    strengths = (given[grid.strength],) if grid.strength in given else grid.strengths
    lengths = (given["max_length"],) if "max_length" in given else grid.lengths
    tried: list[dict[str, Any]] = []
    best, best_ndcg = (0.0, 1, counts.astype(np.float32)), -1.0
    for number, strength in enumerate(strengths):
        progress(number, len(strengths) + 1, f"{grid.strength} {strength:g} best {max(best_ndcg, 0):.4f}")
        weights = grid.weights(counts, strength)
        whole = grid.model.strongest(_options(grid, strength, lengths[0], len(catalogue)), catalogue, weights)
        for length in lengths:
            whole.options = replace(whole.options, max_length=length)
            ndcg = _ndcg(whole, split)
            tried.append({grid.strength: strength, "max_length": length, "neighbours": None, "ndcg_at_10": ndcg})
            if ndcg > best_ndcg:
                best, best_ndcg = (strength, length, weights), ndcg
    strength, length, weights = best
    for kept in (given["neighbours"],) if "neighbours" in given else (*grid.neighbours, len(catalogue)):
        model = grid.model.strongest(_options(grid, strength, length, kept), catalogue, weights)
        ndcg = _ndcg(model, split)
        tried.append({grid.strength: strength, "max_length": length, "neighbours": kept, "ndcg_at_10": ndcg})
        if ndcg >= _KEPT * best_ndcg:
            break
    progress(len(strengths) + 1, len(strengths) + 1, f"best {ndcg:.4f}")
    return Fitted(model=model, record={"tried": tried, "seconds_choosing": time.perf_counter() - started})


def _options(grid: Grid, strength: float, length: int, neighbours: int) -> Any:  # noqa: ANN401 - of either model
    return grid.model.Options(**{grid.strength: strength, "max_length": length, "neighbours": neighbours})


def _ndcg(model: EASE | ItemItem, split: Split) -> float:
    return float(ndcg_at_k(held_out(model.source(), split.train, split.validation).ranks).mean())
