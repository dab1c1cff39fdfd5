"""A data set as the toolkit takes it: a log, what is known of its items and users, and whom to cite."""

from __future__ import annotations

__all__ = ["Dataset", "load"]

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edge_rec.data.fetching import get
from edge_rec.data.items import Items
from edge_rec.data.reading import read_interactions, read_items, read_users
from edge_rec.data.sources import SOURCES
from edge_rec.data.users import Users
from edge_rec_runtime.errors import DataError
from edge_rec_runtime.progress import Progress, silent

if TYPE_CHECKING:
    from edge_rec.data.interactions import Interactions

# A log, the item file and the user file beside it; {} is the stem of the log, or the name of the folder.
_COMPANIONS = (
    ("{}.inter", "{}.item", "{}.user"),
    ("u.data", "u.item", "u.user"),
    ("ratings.dat", "movies.dat", "users.dat"),
    ("ratings.csv", "movies.csv", "users.csv"),
    ("interactions.csv", "items.csv", "users.csv"),
    ("interactions.tsv", "items.tsv", "users.tsv"),
    ("interactions.parquet", "items.parquet", "users.parquet"),
)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A log, its items and its users.

    Attributes:
        name: Short name, for file names and reports.
        interactions: Every event of the log, unfiltered.
        items: Titles and attributes by item id; empty where no item file is known.
        users: Attributes by user id; empty where no user file is known.
        citation: How its makers wish to be cited, or "".
    """

    name: str
    interactions: Interactions
    items: Items
    users: Users = field(default_factory=Users)
    citation: str = ""


def load(
    name_or_path: Path | str,
    folder: Path = Path("datasets"),
    *,
    items: Path | str | None = None,
    user_column: str | None = None,
    item_column: str | None = None,
    timestamp_column: str | None = None,
    progress: Progress = silent,
) -> Dataset:
    """Read a public data set by its name, fetching it where it is missing, or a log by its path.

    Args:
        name_or_path: A key of `SOURCES`, a log, or a folder with a log in it.
        folder: Where public data sets are kept.
        items: The item file; unless given, the one that stands beside the log under its usual name.
        user_column: Column of user ids, found by its name unless given.
        item_column: The same for items, in both files.
        timestamp_column: The same for times.
        progress: Told how far a fetch is.

    Raises:
        DataError: There is no such data set, or it cannot be used as it is.
    """
    name = str(name_or_path)
    if name in SOURCES:
        home = get(name, folder, progress)
        log, item_file, user_file = _companions(home)
    else:
        log, item_file, user_file = _companions(Path(name_or_path))
        name = log.stem
    item_file = item_file if items is None else Path(items)
    return Dataset(
        name=name,
        interactions=read_interactions(log, user_column=user_column, item_column=item_column, timestamp_column=timestamp_column),
        items=read_items(item_file, item_column=item_column) if item_file else Items(),
        users=read_users(user_file, user_column=user_column) if user_file else Users(),
        citation=SOURCES[name].citation if name in SOURCES else "",
    )


def _companions(path: Path) -> tuple[Path, Path | None, Path | None]:
    """Return the log at a path, and the item file and the user file beside it, where there is one."""
    if path.is_dir():
        for log, *beside in _COMPANIONS:
            if (path / log.format(path.name)).exists():
                items, users = (_existing(path / one.format(path.name)) for one in beside)
                return path / log.format(path.name), items, users
        known = ", ".join(log.format(path.name) for log, *_ in _COMPANIONS)
        raise DataError(f"{path} is a directory without a log; expected one of {known}, or the path of the log itself")
    if not path.exists():
        raise DataError(f"{path}: no such file, nor a public data set ({', '.join(SOURCES)}); check the path or the name")
    for log, *beside in _COMPANIONS:
        if path.name == log.format(path.stem):
            items, users = (_existing(path.with_name(one.format(path.stem))) for one in beside)
            return path, items, users
    return path, None, None


def _existing(path: Path) -> Path | None:
    return path if path.exists() else None
