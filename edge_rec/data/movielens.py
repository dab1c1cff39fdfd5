"""MovieLens' own files, as GroupLens packs them: no header, Latin-1, and a separator of two characters."""

from __future__ import annotations

__all__ = ["movies_dat", "ratings_dat", "u_data", "u_item", "u_user", "users_dat"]


from typing import TYPE_CHECKING

import polars as pl

from edge_rec.data.tables import Table, existing_file, separated

if TYPE_CHECKING:
    from pathlib import Path

_LOG = ("user_id", "item_id", "rating", "timestamp")
_ITEM = ("item_id", "title", "year", "genres")
_YEAR = r"\((\d{4})\)"

# u.item has one column a genre, in this order, 1 where the film is of it.
_GENRES = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)


def u_data(path: Path) -> Table:
    """Read the log of MovieLens-100K."""
    return Table(path=path, frame=separated(path, separator="\t", names=_LOG), first_line=1)


def u_item(path: Path) -> Table:
    """Read the films of MovieLens-100K."""
    names = ("item_id", "title", "released", "video", "url", *_GENRES)
    frame = separated(path, separator="|", names=names, text=_recoded(path))
    flagged = [pl.when(pl.col(genre) == "1").then(pl.lit(genre)) for genre in _GENRES]
    return _films(path, frame.with_columns(genres=pl.concat_str(flagged, separator="|", ignore_nulls=True)))


def ratings_dat(path: Path) -> Table:
    """Read the log of MovieLens-1M."""
    return Table(path=path, frame=separated(path, separator="\t", names=_LOG, text=_recoded(path, "::")), first_line=1)


def movies_dat(path: Path) -> Table:
    """Read the films of MovieLens-1M."""
    return _films(path, separated(path, separator="\t", names=("item_id", "title", "genres"), text=_recoded(path, "::")))


def u_user(path: Path) -> Table:
    """Read the users of MovieLens-100K."""
    names = ("user_id", "age", "gender", "occupation", "zip_code")
    return Table(path=path, frame=separated(path, separator="|", names=names, text=_recoded(path)), first_line=1)


def users_dat(path: Path) -> Table:
    """Read the users of MovieLens-1M; ages and occupations are numbers of groups."""
    names = ("user_id", "gender", "age", "occupation", "zip_code")
    return Table(path=path, frame=separated(path, separator="\t", names=names, text=_recoded(path, "::")), first_line=1)


def _films(path: Path, frame: pl.DataFrame) -> Table:
    films = frame.with_columns(year=pl.col("title").str.extract(_YEAR)).select(_ITEM)
    return Table(path=path, frame=films, first_line=1, lists={"genres": "|"})


def _recoded(path: Path, separator: str = "\t") -> bytes:
    """Return the file as UTF-8, its separator a tab."""
    return existing_file(path).read_text(encoding="latin-1").replace(separator, "\t").encode()
