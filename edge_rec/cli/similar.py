"""``edge-rec similar``: items like an item."""

from __future__ import annotations

__all__ = ["similar"]

from typing import TYPE_CHECKING

import click

from edge_rec.cli._options import backend_option, bundle_argument
from edge_rec.cli._show import json_option, show_json, show_table
from edge_rec_runtime import Recommender

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@bundle_argument
@click.argument("item")
@click.option("-k", default=10, show_default=True, type=click.IntRange(min=1), help="How many items.")
@backend_option
@json_option
def similar(bundle: Path, item: str, *, k: int, backend: str, as_json: bool) -> None:
    """List the items most like one item: by the cosine of their vectors, or by a table of neighbours' weights.

    Example: edge-rec similar movies.edgerec 50 -k 5
    """
    with Recommender.open(bundle, backend=backend, verify="full") as recommender:
        catalogue = recommender.catalogue
        rows: list[dict[str, object]] = []
        for found in recommender.similar(item, k):
            title = catalogue.title(catalogue.row(found.id))
            rows.append({"id": found.id} | ({} if title is None else {"title": title}) | {"similarity": found.score})
    if as_json:
        show_json({"item": item, "items": rows})
    else:
        show_table(rows)
