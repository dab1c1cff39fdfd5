"""``edge-rec recommend``: what comes after a history."""

from __future__ import annotations

__all__ = ["recommend"]

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_rec.cli._options import backend_option, bundle_argument
from edge_rec.cli._show import json_option, plain, say, show_json, show_table
from edge_rec_runtime import History, Recommender, read_histories

if TYPE_CHECKING:
    from edge_rec_runtime import Recommendations


@click.command()
@bundle_argument
@click.option("--history", multiple=True, metavar="ID", help="An item of the history; repeat it, oldest first.")
@click.option(
    "--history-file", type=click.Path(path_type=Path), help='JSONL file of histories: {"user": "1", "history": ["50"]}.'
)
@click.option("-k", default=10, show_default=True, type=click.IntRange(min=1), help="How many items.")
@click.option("--where", multiple=True, metavar="NAME=VALUE", help="Only items with this attribute; repeat it for alternatives.")
@click.option("--exclude", multiple=True, metavar="ID", help="An item to leave out, besides those of the history.")
@click.option("--seen", is_flag=True, help="Items of the history may be recommended again.")
@backend_option
@json_option
def recommend(
    bundle: Path,
    *,
    history: tuple[str, ...],
    history_file: Path | None,
    k: int,
    where: tuple[str, ...],
    exclude: tuple[str, ...],
    seen: bool,
    backend: str,
    as_json: bool,
) -> None:
    """Recommend the next items after a history; without a known item, the most popular ones.

    \b
    Examples: edge-rec recommend movies.edgerec --history 50 --history 172 -k 5
              edge-rec recommend movies.edgerec --history 50 --where genres=Comedy --where genres=Drama
              edge-rec recommend movies.edgerec --history-file users.jsonl --json
    """
    if history and history_file:
        raise click.UsageError("give --history or --history-file, not both")
    histories = read_histories(history_file) if history_file else [History(history)]
    with Recommender.open(bundle, backend=backend, verify="full") as recommender:
        answers = recommender.recommend_batch(
            [one.events for one in histories], k=k, where=_filters(where), exclude=exclude, exclude_seen=not seen
        )
        records = [_record(one, answer, recommender) for one, answer in zip(histories, answers, strict=True)]
    if as_json:
        show_json(records if history_file else records[0])
        return
    for record in records:
        _warn(record)
    rows = [
        ({"user": record["user"]} if history_file else {}) | {"rank": rank} | item
        for record in records
        for rank, item in enumerate(record["items"], 1)
    ]
    show_table(rows)


def _filters(where: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the values of each attribute; values of one attribute are alternatives."""
    filters: dict[str, list[str]] = {}
    for one in where:
        name, equals, value = one.partition("=")
        if not equals:
            raise click.BadParameter(f"{one!r} is no NAME=VALUE, like genres=Comedy", param_hint="--where")
        filters.setdefault(name, []).append(value)
    return filters


def _record(history: History, answer: Recommendations, recommender: Recommender) -> dict[str, Any]:
    """Return an answer as plain values, with titles where the bundle has them."""
    items = [
        {"id": item.id, "score": item.score}
        if recommender.catalogue.titles is None
        else {"id": item.id, "title": recommender.catalogue.title(recommender.catalogue.row(item.id)), "score": item.score}
        for item in answer
    ]
    return {
        "user": history.user,
        "items": items,
        "ignored": list(answer.ignored),
        "fallback": answer.fallback,
        "backend": recommender.backend,
    }


def _warn(record: dict[str, Any]) -> None:
    whose = "" if record["user"] is None else f"user {record['user']}: "
    ignored = record["ignored"]
    if ignored:
        shown = ", ".join(map(plain, ignored[:5])) + (", ..." if len(ignored) > 5 else "")
        say(f"{whose}{len(ignored)} of the history's ids are not in the catalogue and were ignored: {shown}")
    if record["fallback"]:
        say(f"{whose}nothing of the history is known; these are the most popular items")
