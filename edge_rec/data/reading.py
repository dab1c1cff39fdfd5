"""Interaction logs, item files and user files, of any known format, as the toolkit takes them."""

from __future__ import annotations

__all__ = ["read_interactions", "read_items", "read_users"]

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from edge_rec.data.columns import ATTRIBUTES, ROLES, USER_ATTRIBUTES, column_of, ids_of, ratings_of, timestamps_of
from edge_rec.data.formats import read_table
from edge_rec.data.interactions import Interactions
from edge_rec.data.items import Items
from edge_rec.data.users import Users
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_rec.data.tables import Table


def read_interactions(
    path: Path | str, *, user_column: str | None = None, item_column: str | None = None, timestamp_column: str | None = None
) -> Interactions:
    """Read a log; every row is an event, whatever rating stands beside it; ratings are kept where there are any.

    A row that repeats another's user, item and time is the same event, logged twice: it is read once and counted in
    ``repeats``. A user who meets an item again at another time has met it twice.

    Args:
        path: CSV, TSV, Parquet, RecBole ``.inter``, or MovieLens' ``u.data`` or ``ratings.dat``.
        user_column: Column of user ids, found by its name unless given.
        item_column: The same for items.
        timestamp_column: The same for times: whole numbers in the log's own unit, of which only the order counts.

    Raises:
        DataError: The file cannot be used as it is; the message names the line or the column.
    """
    table = read_table(Path(path))
    users, user_ids = _numbered(ids_of(table, column_of(table, "user", user_column)))
    items, item_ids = _numbered(ids_of(table, column_of(table, "item", item_column)))
    timestamps = timestamps_of(table, column_of(table, "timestamp", timestamp_column))
    ratings = ratings_of(table)
    keep = _first_of_each(users, items, timestamps)
    return Interactions(
        users=users[keep],
        items=items[keep],
        timestamps=timestamps[keep],
        user_ids=user_ids,
        item_ids=item_ids,
        ratings=None if ratings is None else ratings[keep],
        repeats=len(users) - len(keep),
    )


def read_items(
    path: Path | str,
    *,
    item_column: str | None = None,
    title_column: str | None = None,
    attribute_columns: Sequence[str] | None = None,
) -> Items:
    """Read what is known of the items.

    Args:
        path: CSV, TSV, Parquet, RecBole ``.item``, or MovieLens' ``u.item`` or ``movies.dat``.
        item_column: Column of item ids, found by its name unless given.
        title_column: Column of titles, found by its name unless given; there may be none.
        attribute_columns: Columns to keep as attributes; those of `ATTRIBUTES` unless given. Several values in one field
            are separated by ``|``, in a RecBole ``token_seq`` by spaces.

    Raises:
        DataError: The file cannot be used as it is, or two lines have one item id.
    """
    table = read_table(Path(path))
    ids = ids_of(table, column_of(table, "item", item_column))
    _refuse_repeated(table, ids, "item")
    return Items(titles=_titles(table, ids, title_column), attributes=_attributes(table, ids, attribute_columns))


def read_users(path: Path | str, *, user_column: str | None = None) -> Users:
    """Read what is known of the users: the columns of `USER_ATTRIBUTES`; an empty field is not known.

    Args:
        path: CSV, TSV, Parquet, RecBole ``.user``, or MovieLens' ``u.user`` or ``users.dat``.
        user_column: Column of user ids, found by its name unless given.

    Raises:
        DataError: The file cannot be used as it is, or two lines have one user id.
    """
    table = read_table(Path(path))
    ids = ids_of(table, column_of(table, "user", user_column))
    _refuse_repeated(table, ids, "user")
    attributes = {}
    for column in table.frame.columns:
        if attribute := USER_ATTRIBUTES.get(column.replace("_", "").lower()):
            values = table.frame[column].cast(pl.String).fill_null("").str.strip_chars()
            attributes[attribute] = {one: value for one, value in zip(ids, values, strict=True) if value}
    return Users(attributes=attributes)


def _refuse_repeated(table: Table, ids: pl.Series, what: str) -> None:
    repeated = (~ids.is_first_distinct()).arg_true()
    if len(repeated):
        row, one = repeated[0], ids[repeated[0]]
        first = table.where((ids == one).arg_true()[0])
        raise DataError(f"{table.where(row)}: {what} id {one!r} stands already at {first}; keep one of the two")


def _titles(table: Table, ids: pl.Series, asked: str | None) -> dict[str, str]:
    if asked is None and not any(name.replace("_", "").lower() in ROLES["title"] for name in table.frame.columns):
        return {}
    titles = table.frame[column_of(table, "title", asked)].cast(pl.String)
    # A title is for people: line breaks and runs of spaces in it mean nothing, and an empty one is the id.
    return {one: " ".join((title or "").split()) or one for one, title in zip(ids, titles, strict=True)}


def _attributes(table: Table, ids: pl.Series, asked: Sequence[str] | None) -> dict[str, dict[str, tuple[str, ...]]]:
    if asked is None:
        chosen = {
            column: ATTRIBUTES[name] for column in table.frame.columns if (name := column.replace("_", "").lower()) in ATTRIBUTES
        }
    else:
        chosen = {column_of(table, "item", column): column for column in asked}
    attributes = {}
    for column, attribute in chosen.items():
        separator = table.lists.get(column, "|")
        fields = table.frame[column].cast(pl.String).fill_null("")
        values = ([text] if separator is None else text.split(separator) for text in fields)
        attributes[attribute] = {
            one: tuple(dict.fromkeys(value.strip() for value in found if value.strip()))
            for one, found in zip(ids, values, strict=True)
        }
    return attributes


def _numbered(ids: pl.Series) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return [events] int32 rows and the ids they stand for, in the order of their first event."""
    distinct = ids.unique(maintain_order=True)
    rows = ids.replace_strict(distinct, pl.int_range(len(distinct), dtype=pl.Int32, eager=True), return_dtype=pl.Int32)
    return rows.to_numpy(), tuple(distinct)


def _first_of_each(users: NDArray[np.int32], items: NDArray[np.int32], timestamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of the events that repeat no earlier one, in order."""
    events = pl.DataFrame({"user": users, "item": items, "time": timestamps}).with_row_index()
    first = events.unique(subset=["user", "item", "time"], keep="first", maintain_order=True)["index"]
    return first.cast(pl.Int64).to_numpy()
