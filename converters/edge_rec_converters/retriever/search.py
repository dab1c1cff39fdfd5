"""The search: scores, seen items left out, the best, and where there is a rescore table their exact scores."""

from __future__ import annotations

__all__ = ["LOWEST", "Tables", "search", "tables"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.retriever.scoring import scores, scores_of
from edge_rec_converters.retriever.seen import without_seen
from edge_rec_converters.retriever.stored import Stored, stored
from edge_rec_converters.retriever.top import group_size, in_order, padded_rows, top
from edge_rec_runtime.search import CANDIDATE_FLOOR, CANDIDATES_PER_RESULT

if TYPE_CHECKING:
    import onnx_ir as ir

    from edge_rec_converters.retriever.events import Events
    from edge_rec_converters.retriever.sketch import Sketch
    from edge_rec_runtime import ItemTable

LOWEST = float(np.finfo(np.float32).min)  # only minus infinity lies below


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What is searched.

    Attributes:
        scanned: The table of which every row is scored.
        exact: The table that scores the best of them again, and feeds the encoder; None where the scanned one does.
        items: Rows of the catalogue.
        k: How many are answered.
        wanted: How many the scan keeps, ``k`` unless they are scored again.
        size: Rows in a group, see `top`.
        rows: Of both tables, what stands behind the items included.
    """

    scanned: Stored
    exact: Stored | None
    items: int
    k: int
    wanted: int
    size: int
    rows: int

    @property
    def fed(self) -> Stored:
        """The table whose vectors the encoder takes."""
        return self.exact or self.scanned


def tables(sketch: Sketch, items: ItemTable, rescore: ItemTable | None, *, k: int) -> Tables:
    """Add the tables to a graph.

    Raises:
        ConversionError: A layout has no form in a graph.
    """
    k = min(k, items.rows)
    wanted = k if rescore is None else min(max(CANDIDATES_PER_RESULT * k, CANDIDATE_FLOOR), items.rows)
    size = group_size(items.rows, wanted)
    rows = padded_rows(items.rows, size)
    return Tables(
        scanned=stored(sketch, items, "items", rows=rows),
        exact=None if rescore is None else stored(sketch, rescore, "rescore", rows=rows),
        items=items.rows,
        k=k,
        wanted=wanted,
        size=size,
        rows=rows,
    )


def search(sketch: Sketch, of: Tables, query: ir.Value, events: Events) -> tuple[ir.Value, ir.Value]:
    """Return the scores [batch, k] of the best rows for queries [batch, dims], minus infinity behind the last, and the rows."""
    scanned = scores(sketch, of.scanned, query)
    left = without_seen(sketch, scanned.values, events, items=of.items, rows=of.rows)
    values, rows = top(sketch, left, k=of.wanted, size=of.size, rows=of.rows)
    if of.exact is None:
        return (values if scanned.factor is None else sketch.op("Mul", values, scanned.factor)), rows
    rows, order = in_order(sketch, rows, of.wanted)
    gone = sketch.op("Less", sketch.op("GatherElements", values, order, axis=1), sketch.number(LOWEST, np.float32))
    again = scores_of(sketch, of.exact, query, rows)
    again = sketch.op("Where", gone, sketch.number(-np.inf, np.float32), again)
    values, places = top(sketch, again, k=of.k, size=1, rows=of.wanted)
    return values, sketch.op("GatherElements", rows, places, axis=1)
