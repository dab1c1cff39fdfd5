"""Which column of a file plays which part, by the names that data sets commonly use."""

from __future__ import annotations

__all__ = ["ATTRIBUTES", "ROLES", "USER_ATTRIBUTES", "column_of", "ids_of", "ratings_of", "timestamps_of"]

import difflib
from typing import TYPE_CHECKING

import polars as pl

from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_rec.data.tables import Table

# Names as `_plain` leaves them, the most telling first.
ROLES: dict[str, tuple[str, ...]] = {
    "user": ("userid", "user", "uid", "customerid", "reviewerid", "visitorid", "accountid", "sessionid"),
    "item": ("itemid", "item", "iid", "movieid", "productid", "parentasin", "asin", "articleid", "trackid", "songid", "bookid"),
    "timestamp": ("timestamp", "time", "ts", "unixreviewtime", "unixtime", "datetime", "eventtime", "date"),
    "rating": ("rating", "score", "stars", "overall"),
    "title": ("title", "movietitle", "itemname", "name", "producttitle"),
}

# Column -> attribute. Others are taken only when they are asked for: a description would swell every bundle.
ATTRIBUTES: dict[str, str] = {
    "genres": "genres",
    "genre": "genres",
    "class": "genres",
    "categories": "categories",
    "category": "categories",
    "tags": "tags",
    "brand": "brand",
    "year": "year",
    "releaseyear": "year",
}

# The same for users. A post code is left out: it is nearly a person.
USER_ATTRIBUTES: dict[str, str] = {
    "gender": "gender",
    "sex": "gender",
    "age": "age",
    "agegroup": "age",
    "occupation": "occupation",
    "job": "occupation",
    "country": "country",
}

_LARGEST = 2**63 - 1  # what a 64-bit integer holds


def column_of(table: Table, role: str, asked: str | None = None) -> str:
    """Find the column of a role.

    Args:
        table: The file.
        role: A key of `ROLES`.
        asked: The column's name, where the caller knows it.

    Raises:
        DataError: There is none; the message names the nearest and all there are.
    """
    columns = table.frame.columns
    if asked is not None:
        if asked in columns:
            return asked
        near = difflib.get_close_matches(asked, columns, n=1, cutoff=0.4)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise DataError(f"{table.path} has no column {asked!r}{hint}; found {', '.join(columns)}")
    plain = {_plain(column): column for column in reversed(columns)}
    for name in ROLES[role]:
        if name in plain:
            return plain[name]
    near = difflib.get_close_matches(ROLES[role][0], plain, n=1, cutoff=0.4)
    hint = f" (nearest: {plain[near[0]]!r})" if near else ""
    raise DataError(
        f"{table.path} has no column named like {ROLES[role][0]!r}{hint}; found {', '.join(columns)}; "
        f"say which it is with --{role}-column"
    )


def ids_of(table: Table, column: str) -> pl.Series:
    """Return a column of ids as text.

    Raises:
        DataError: An id is missing, or holds what cannot stand on a line of its own.
    """
    ids = table.frame[column].cast(pl.String)
    _refuse(table, column, ids.is_null() | (ids == ""), "every event and item needs an id; fill or remove the line")
    _refuse(table, column, ids.str.contains("[\n\r\0]"), "expected an id without line breaks; replace it", value=True)
    return ids


def timestamps_of(table: Table, column: str) -> NDArray[np.int64]:
    """Return a column of whole, non-negative times as int64; a column of dates becomes microseconds since 1970.

    Raises:
        DataError: A time is missing, negative, not a number, not whole, or beyond 64 bits.
    """
    series = table.frame[column]
    try:
        if series.dtype.is_temporal():
            series = series.cast(pl.Datetime("us")).cast(pl.Int64)
        number = series.cast(pl.Float64, strict=False)
        # A Float64 cannot tell neighbours above 2**53 apart, so it only fills in what is written like 978300760.0.
        whole = series.cast(pl.Int64, strict=False).fill_null(number.cast(pl.Int64, strict=False))
    except pl.exceptions.PolarsError:
        raise DataError(f"{table.path}: column {column!r} holds {series.dtype}; expected numbers, seconds since 1970") from None
    _refuse(table, column, series.is_null() | (series.cast(pl.String) == ""), "every event needs a time; fill or remove the line")
    for bad, expected in (
        (number.is_null() | ~number.is_finite(), "expected a number, seconds since 1970; convert or remove the line"),
        (number < 0, "expected 0 or more, seconds since 1970; correct or remove the line"),
        (whole.is_null(), f"expected at most {_LARGEST}; give seconds, milliseconds or microseconds"),
        (number != number.floor(), "expected a whole number; multiply the column, for example to milliseconds"),
    ):
        _refuse(table, column, bad, expected, value=True)
    return whole.to_numpy()


def ratings_of(table: Table) -> NDArray[np.float32] | None:
    """Return the ratings as float32 [rows], or None where no column is named like them.

    Raises:
        DataError: A rating is missing or not a finite number.
    """
    column = next((one for one in table.frame.columns if _plain(one) in ROLES["rating"]), None)
    if column is None:
        return None
    numbers = table.frame[column].cast(pl.Float64, strict=False)
    bad = numbers.is_null() | ~numbers.is_finite()
    _refuse(table, column, bad, "expected a finite number; correct or remove the line", value=True)
    return numbers.cast(pl.Float32).to_numpy()


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _refuse(table: Table, column: str, bad: pl.Series, remedy: str, *, value: bool = False) -> None:
    rows = bad.arg_true()
    if len(rows):
        shown = f" is {table.frame[column][rows[0]]!r}" if value else " is empty"
        raise DataError(f"{table.where(rows[0])}: {column}{shown}; {remedy}")
