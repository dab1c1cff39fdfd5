"""Bundles of invented films, one for each engine, of a model that learned a drawn log: genres of it follow one another."""

from __future__ import annotations

__all__ = ["LONGEST", "film_bundles"]

from dataclasses import replace
from typing import TYPE_CHECKING

from zoo_log import LONGEST, REQUESTS, drawn_log

from edge_rec.data import Dataset, Items
from edge_rec.demo import TARGETS
from edge_rec.models import load_run
from edge_rec.training import train_run
from edge_rec_converters import convert, prepare
from edge_rec_runtime import Precision, read_histories

if TYPE_CHECKING:
    from pathlib import Path

_GENRES = (
    ("Sci-Fi", "Adventure"),
    ("Romance", "Comedy"),
    ("Crime", "Film-Noir"),
    ("Western", "Action"),
    ("Fantasy", "Animation"),
    ("Documentary", "War"),
)
_FIRST = (
    ("Signal", "Orbit", "Comet", "Lantern", "Meridian"),
    ("Letters", "Wedding", "Summer", "Piano", "Café"),
    ("Alibi", "Ledger", "Harbour", "Midnight", "Witness"),
    ("Canyon", "Saddle", "Dust", "Outpost", "River"),
    ("Dragon", "Clockwork", "Thicket", "Owl", "Tinderbox"),
    ("Winter", "Bridge", "Archive", "Frontier", "Silence"),
)
_LAST = ("of the North", "in Paper", "Without Names", "at Daybreak")
_K, _GATE = 40, 0.5


def films_log() -> Dataset:
    """Return the drawn log, whose items are films with a title, a year and two genres."""
    log = drawn_log()
    rows = {item: int(item.removeprefix("i")) for item in log.interactions.item_ids}
    titles = {item: f"{_title(row)} ({1950 + 7 * row % 74})" for item, row in rows.items()}
    genres = {item: _GENRES[row % len(_GENRES)] for item, row in rows.items()}
    return replace(log, items=Items(titles=titles, attributes={"genres": genres}))


def _title(row: int) -> str:
    """Return a title of its own for every row; some are sorted behind their article, as catalogues do."""
    kind, place = row % len(_GENRES), row // len(_GENRES)
    first, last = _FIRST[kind][place % 5], _LAST[place // 5]
    return f"{first} {last}, The" if row % 7 == 0 else f"{first} {last}"


def film_bundles(folder: Path, precision: str = "items=int8,network=int8-dynamic") -> dict[str, Path]:
    """Train a SASRec in a second or two, and convert it for every target, with its retriever graph.

    Returns:
        The bundle of each target.
    """
    run = folder / "run"
    train_run(films_log(), run, request=REQUESTS["sasrec"])
    histories, calibration = (read_histories(run / "heldout" / f"{part}.jsonl") for part in ("test", "validation"))
    ready = prepare(load_run(run).source(), histories, calibration=calibration)
    paths = {target: folder / f"films-{target}.edgerec" for target in TARGETS}
    for target, path in paths.items():
        whole = Precision.parse(precision)
        convert(ready, target=target, precision=whole, output=path, gate=_GATE, graph="retriever", graph_k=_K)
    return paths
