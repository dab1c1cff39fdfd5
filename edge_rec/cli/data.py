"""``edge-rec data``: fetch a public data set, look at a log."""

from __future__ import annotations

__all__ = ["data"]

from dataclasses import asdict
from pathlib import Path

import click

from edge_rec import data as logs
from edge_rec.cli._options import column_options
from edge_rec.cli._show import Bar, json_option, say, show_json, show_table


@click.group()
def data() -> None:
    """Fetch a public data set, or look at an interaction log.

    \b
    Examples: edge-rec data get ml-100k
              edge-rec data show datasets/ml-100k --core 5
    """


@data.command(short_help="Fetch a public data set.")
@click.argument("name", type=click.Choice(list(logs.SOURCES)))
@click.option(
    "--folder", default="datasets", show_default=True, type=click.Path(path_type=Path), help="Where data sets are kept."
)
def get(name: str, folder: Path) -> None:
    """Fetch a public data set, unless it is there already, and print its terms and citation.

    Example: edge-rec data get ml-1m
    """
    home = logs.get(name, folder, Bar(name))
    say(f"Terms: {logs.SOURCES[name].terms}")
    say(f"Please cite: {logs.SOURCES[name].citation}")
    click.echo(str(home))


@data.command(short_help="Summarise an interaction log.")
@click.argument("path")
@click.option(
    "--folder", default="datasets", show_default=True, type=click.Path(path_type=Path), help="Where data sets are kept."
)
@click.option("--core", type=click.IntRange(min=1), help="Keep users and items with this many events, as training does with 5.")
@column_options
@json_option
def show(
    path: str,
    *,
    folder: Path,
    core: int | None,
    as_json: bool,
    **columns: str | None,
) -> None:
    """Summarise a log: PATH is a file, a folder with a log in it, or the name of a public data set.

    Example: edge-rec data show clicks.csv --user-column visitor --json
    """
    dataset = logs.load(path, folder, progress=Bar(path), **columns)
    interactions = dataset.interactions if core is None else logs.k_core(dataset.interactions, core)
    summary = asdict(logs.summarise(interactions))
    if as_json:
        show_json(summary)
    else:
        show_table([{"what": name.replace("_", " "), "value": _shown(value)} for name, value in summary.items()])


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:g}" for name, number in value.items())
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
