"""``edge-rec recommend``: what comes after a history."""

from __future__ import annotations

__all__ = ["recommend"]

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_rec.cli._answers import answer_record, context_of, context_option, known_context, show_answers, warn_ignored
from edge_rec.cli._options import backend_option, bundle_argument
from edge_rec.cli._show import json_option, say
from edge_rec_runtime import History, Recommender, read_histories

if TYPE_CHECKING:
    from collections.abc import Mapping


@click.command()
@bundle_argument
@click.option("--history", multiple=True, metavar="ID", help="An item of the history; repeat it, oldest first.")
@click.option(
    "--history-file", type=click.Path(path_type=Path), help='JSONL file of histories: {"user": "1", "history": ["50"]}.'
)
@context_option
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
    context: tuple[str, ...],
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
              edge-rec recommend movies.edgerec --history 50 --context age=25
              edge-rec recommend movies.edgerec --history-file users.jsonl --json
    """
    if history and history_file:
        raise click.UsageError("give --history or --history-file, not both")
    if history_file and context:
        raise click.UsageError("give --context with --history; a file has the context of each history in its lines")
    filters = _filters(where)
    histories = read_histories(history_file) if history_file else [History(history)]
    with Recommender.open(bundle, backend=backend, verify="full") as recommender:
        records = []
        for one in histories:
            words = (
                known_context(recommender.features, one.context) if history_file else context_of(recommender.features, context)
            )
            answer = recommender.recommend(one.events, k=k, context=words, where=filters, exclude=exclude, exclude_seen=not seen)
            records.append(answer_record(one.user, answer, recommender.catalogue, recommender.backend))
    if not as_json:
        for record in records:
            _warn(record)
    show_answers(records, by_user=bool(history_file), as_json=as_json)


def _warn(record: Mapping[str, Any]) -> None:
    warn_ignored(record)
    if record["fallback"]:
        whose = "" if record["user"] is None else f"user {record['user']}: "
        say(f"{whose}nothing of the history is known; these are the most popular items")


def _filters(where: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the values of each attribute; values of one attribute are alternatives."""
    filters: dict[str, list[str]] = {}
    for one in where:
        name, equals, value = one.partition("=")
        if not equals:
            raise click.BadParameter(f"{one!r} is no NAME=VALUE, like genres=Comedy", param_hint="--where")
        filters.setdefault(name, []).append(value)
    return filters
