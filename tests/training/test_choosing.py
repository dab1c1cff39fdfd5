"""Options of neighbours are chosen on validation: the best strength and length, then the fewest weights that keep 99.5 %."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_rec.data import Dataset, leave_one_out
from edge_rec.models import EASE, EASEOptions
from edge_rec.models.neighbours import ease_weights
from edge_rec.training.neighbours import Grid, choose
from edge_rec_runtime import Catalogue, silent

if TYPE_CHECKING:
    from collections.abc import Callable

GRID = Grid(EASE, ease_weights, "regularisation", (0.1, 10.0), lengths=(1, 3), neighbours=(1, 2, 4))


@pytest.mark.parametrize("given", [{}, {"max_length": 3}, {"regularisation": 10.0, "neighbours": 2}])
def test_the_best_of_the_grid_is_taken(circle: Callable[..., Dataset], given: dict[str, float]) -> None:
    """Nothing that was tried with all neighbours is better, nothing shorter is good enough, what was given is kept."""
    split = leave_one_out(circle(users=48, events=9).interactions)
    fitted = choose(GRID, split, Catalogue(split.item_ids), given, progress=silent)
    chosen, tried = EASEOptions(**fitted.model.describe()), fitted.record["tried"]  # type: ignore[arg-type]  # options of EASE
    assert all(getattr(chosen, name) == value for name, value in given.items())
    whole = {(one["regularisation"], one["max_length"]): one["ndcg_at_10"] for one in tried if one["neighbours"] is None}
    best = max(whole.values())
    assert whole[chosen.regularisation, chosen.max_length] == best
    shorter = [one["ndcg_at_10"] for one in tried if one["neighbours"] is not None]
    if "neighbours" not in given:
        assert shorter[-1] >= 0.995 * best
        assert all(ndcg < 0.995 * best for ndcg in shorter[:-1])
    assert len(fitted.model.weights()["values"]) <= chosen.neighbours * len(split.item_ids)
