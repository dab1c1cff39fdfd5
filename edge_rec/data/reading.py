"""Interaction logs and item files."""

from __future__ import annotations

__all__ = ["read_interactions", "read_items"]

from pathlib import Path

import numpy as np
import polars as pl

from edge_rec.data.interactions import Interactions
from edge_rec.data.items import Items


def _rows(column: pl.Series) -> tuple[np.ndarray, tuple[str, ...]]:
    ids = column.unique(maintain_order=True)
    lookup = {value: row for row, value in enumerate(ids)}
    return np.array([lookup[value] for value in column], dtype=np.int32), tuple(ids)


def read_interactions(path: Path) -> Interactions:
    frame = pl.read_csv(path, separator="\t", quote_char=None, infer_schema_length=0)
    users, user_ids = _rows(frame["user_id:token"])
    items, item_ids = _rows(frame["item_id:token"])
    stamps = frame["timestamp:float"].cast(pl.Float64).cast(pl.Int64).to_numpy()
    return Interactions(users=users, items=items, timestamps=stamps, user_ids=user_ids, item_ids=item_ids)


def read_items(path: Path) -> Items:
    frame = pl.read_csv(path, separator="\t", quote_char=None, infer_schema_length=0)
    ids, titles, years, genres = (frame[column].to_list() for column in frame.columns)
    return Items(
        titles={i: f"{t} ({y})" for i, t, y in zip(ids, titles, years)},
        attributes={"genres": {i: tuple(g.split(" ")) for i, g in zip(ids, genres)}, "year": {i: (y,) for i, y in zip(ids, years)}},
    )
