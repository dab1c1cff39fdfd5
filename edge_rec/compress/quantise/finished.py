"""From item vectors that lie on a grid to the codes that stand for them, and a model that has both."""

from __future__ import annotations

__all__ = ["finish_items", "int4_of", "require_finished"]

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from edge_rec.compress.quantise.grids import exact
from edge_rec.compress.step import Outcome
from edge_rec.models import Network
from edge_rec_runtime import Int4Table
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec.compress.tuning import Tuned
    from edge_rec_runtime import ItemTable

_N = TypeVar("_N", bound=Network)


def finish_items(found: Tuned[_N], table: ItemTable, *others: ItemTable) -> Outcome:
    """Return the network with finished codes, and its record with their bytes.

    Args:
        found: Its item table lies on the grid already.
        table: What the encoder is fed with.
        others: Further codes of the same items, such as those that a first pass scans.
    """
    tables = {one.layout: one for one in (table, *others)}
    parts = {
        layout: {name: part.nbytes for name, part in one.parts().items() if name not in getattr(one, "shared", ())}
        for layout, one in tables.items()
    }
    shared = {layout: one.nbytes - sum(parts[layout].values()) for layout, one in tables.items()}
    record = {
        **found.record,
        "bytes_an_item": {layout: sum(sizes.values()) / tables[layout].rows for layout, sizes in parts.items()},
        "shared_bytes": shared,
    }
    return Outcome(model=found.model.with_tables(tables), record=record)


def int4_of(values: NDArray[np.float32]) -> Int4Table:
    """Return the codes of rows [items, dims] that are whole numbers from -7 to 7 times a scale a row.

    The scale is told from the row: its largest magnitude is 1 to 7 of them, one of these guesses makes all the others whole,
    and it has no more than the 11 bits that scales were trained with.

    Raises:
        CompressionError: A row is no such thing.
    """
    peaks = np.abs(values).max(axis=1)
    scales = np.zeros_like(peaks)
    for most in range(7, 0, -1):
        guess = np.where(peaks > 0, peaks / np.float32(most), np.float32(1))[:, None]
        codes = np.rint(values / guess)
        fits = (codes * guess == values).all(axis=1) & (exact(guess) == guess)[:, 0]
        scales = np.where(fits, guess[:, 0], scales)
    if (off := np.flatnonzero((scales == 0) & (peaks > 0))).size:
        raise CompressionError(f"quantise:to=int4: row {off[0]} of the item table left the int4 grid; report this model")
    return Int4Table.encode(values, scales=scales)


def require_finished(model: Network, layout: str) -> None:
    """Check that a model's item vectors are, to the bit, those of its first codes.

    Raises:
        CompressionError: It has no such codes, or they say something else.
    """
    first = next(iter(model.tables.items()), None)
    if first is None or first[0] != layout:
        raise CompressionError(f"quantise:to={layout}: {model.title} came out without {layout} codes; report this model")
    if not np.array_equal(first[1].decode(np.arange(first[1].rows)), model.weights()["table"]):
        raise CompressionError(f"quantise:to={layout}: the item vectors are not those of the {layout} codes; report this model")
