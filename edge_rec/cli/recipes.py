"""``edge-rec recipes``: the recipes that are shipped, and what they achieved."""

from __future__ import annotations

__all__ = ["recipes"]

from typing import TYPE_CHECKING, Any

import click

from edge_rec.cli._show import json_option, say, show_json, show_table
from edge_rec.compress import describe_step, shipped_recipes

if TYPE_CHECKING:
    from edge_rec.compress import Recipe


@click.command()
@json_option
def recipes(*, as_json: bool) -> None:
    """List the recipes that are shipped, with their steps and what they achieved.

    \b
    Examples: edge-rec recipes --json
              edge-rec compress runs/films --recipe low-rank -o runs/smaller
    """
    found = shipped_recipes()
    if as_json:
        show_json([_described(one) for one in found.values()])
        return
    show_table([_row(one) for one in found.values()])
    say("Follow one with: edge-rec compress MODEL --recipe NAME -o OUT")


def _described(one: Recipe) -> dict[str, Any]:
    return {
        "name": one.name,
        "description": one.description,
        "model": one.model,
        "dataset": one.dataset,
        "steps": [describe_step(step) for step in one.steps],
        "to": list(one.bundles.targets) if one.bundles else [],
        "precision": one.bundles.precision.slug if one.bundles else None,
        "achieved": [dict(figures) for figures in one.achieved],
    }


def _row(one: Recipe) -> dict[str, object]:
    reached = one.achieved[0] if one.achieved else {}
    return {
        "recipe": one.name,
        "steps": " + ".join(step.form for step in one.steps),
        "made for": " ".join(word for word in (one.model, one.dataset) if word) or "any model",
        "of fp32": reached.get("bytes_ratio"),
        "NDCG@10 kept": reached.get("ndcg_kept"),
        "on": reached.get("dataset", "-"),
    }
