"""File formats by name: a file's whole name is looked up first, then its suffix."""

from __future__ import annotations

__all__ = ["FORMATS", "read_table"]

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from edge_rec.data.movielens import movies_dat, ratings_dat, u_data, u_item, u_user, users_dat
from edge_rec.data.tables import Table, existing_file, refuse_undecodable, separated
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read_table(path: Path) -> Table:
    """Read a file of rows in whichever known format its name says.

    Raises:
        DataError: No such file, no such format, or not what its name says.
    """
    existing_file(path)
    reader = FORMATS.get(path.name) or FORMATS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: no reader for {path.suffix or path.name!r}; expected one of {', '.join(FORMATS)}")
    return reader(path)


def _csv(path: Path) -> Table:
    return Table(path=path, frame=separated(path, separator=_separator(path), quote='"'))


def _tsv(path: Path) -> Table:
    return Table(path=path, frame=separated(path, separator="\t", quote='"'))


def _atomic(path: Path) -> Table:
    """Read RecBole's atomic files: tabs, no quotes, columns named ``name:type``; a ``token_seq`` is split at spaces."""
    frame = separated(path, separator="\t")
    names = {column: column.partition(":")[0] for column in frame.columns}
    kinds = {name: column.partition(":")[2] for column, name in names.items()}
    if len(kinds) != frame.width:
        raise DataError(f"{path}: two columns have one name in {', '.join(frame.columns)}; rename one")
    return Table(path=path, frame=frame.rename(names), lists={name: _LISTS.get(kind) for name, kind in kinds.items()})


def _parquet(path: Path) -> Table:
    try:
        frame = pl.read_parquet(path, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise DataError(f"{path} is not a whole Parquet file ({reason}); copy or export it again") from None
    if frame.height == 0:
        raise DataError(f"{path} has columns and no row; expected at least one")
    return Table(path=path, frame=frame, first_line=0)


def _separator(path: Path) -> str:
    """Return what separates a header's names most often: a ``.csv`` may be written with semicolons."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            counts = Counter(stream.readline())
    except UnicodeDecodeError:
        refuse_undecodable(path)
        raise
    return max(",;\t|", key=counts.__getitem__)


_LISTS = {"token_seq": " ", "float_seq": " "}

FORMATS: dict[str, Callable[[Path], Table]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": _parquet,
    ".inter": _atomic,
    ".item": _atomic,
    ".user": _atomic,
    "u.data": u_data,
    "u.item": u_item,
    "u.user": u_user,
    "ratings.dat": ratings_dat,
    "movies.dat": movies_dat,
    "users.dat": users_dat,
}
