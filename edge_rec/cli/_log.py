"""The log that a run directory was trained on, as commands ask for it."""

from __future__ import annotations

__all__ = ["known_log", "load_log", "log_options"]

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edge_rec import data
from edge_rec.cli._options import column_options
from edge_rec.cli._show import Bar

if TYPE_CHECKING:
    from collections.abc import Mapping

_F = TypeVar("_F", bound=Callable[..., Any])


def log_options(function: _F) -> _F:
    """Add ``--dataset``, ``--folder`` and the options that name columns."""
    where = click.option(
        "--folder", default="datasets", show_default=True, type=click.Path(path_type=Path), help="Where data sets are kept."
    )
    which = click.option(
        "--dataset", metavar="DATA", help="The log that the model was trained on, or a public data set; MODEL knows its own."
    )
    return which(where(column_options(function)))


def known_log(dataset: str | None, config: Mapping[str, Any]) -> str | None:
    """Return the log that was asked for, or the public one that a model was trained on; None where it was another.

    Args:
        dataset: What was given with ``--dataset``.
        config: The model's ``config.json``.
    """
    known = config.get("dataset")
    name = known.get("name") if isinstance(known, dict) else None
    return dataset or (name if name in data.SOURCES else None)


def load_log(name: str, folder: Path, columns: Mapping[str, Any]) -> data.Dataset:
    """Read a log, fetched where it is public and not there yet.

    Args:
        name: A file, or a public data set.
        folder: Where data sets are kept.
        columns: The options that name columns.

    Raises:
        DataError: It cannot be read.
    """
    return data.load(name, folder, progress=Bar(f"Fetching {name}"), **columns)
