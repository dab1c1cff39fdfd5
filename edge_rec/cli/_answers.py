"""Answers of a bundle as people and programs read them, and the words of a context as a bundle takes them."""

from __future__ import annotations

__all__ = ["answer_record", "context_of", "context_option", "known_context", "show_answers", "warn_ignored"]

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edge_rec.cli._show import plain, say, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_rec_runtime import Catalogue, Feature, Recommendations

_F = TypeVar("_F", bound=Callable[..., Any])


def context_option(function: _F) -> _F:
    """Add ``--context``."""
    return click.option(
        "--context",
        multiple=True,
        metavar="NAME=VALUE",
        help="What the model takes of a request's context; repeat a list's name for more words, NAME= is none.",
    )(function)


def context_of(features: Sequence[Feature], words: Sequence[str]) -> dict[str, object] | None:
    """Return the context that words like ``age=25`` give, each value as its feature takes it; None where there are none."""
    kinds = {feature.name: feature.kind for feature in features}
    given: dict[str, list[str]] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.BadParameter(f"{word!r} is no NAME=VALUE, like age=25", param_hint="--context")
        given.setdefault(name, []).extend([value] if value else [])
    context: dict[str, object] = {}
    for name, values in given.items():
        if len(values) > 1 and kinds.get(name) != "categories":
            raise click.BadParameter(f"{name} stands {len(values)} times and takes one value", param_hint="--context")
        context[name] = values if kinds.get(name) == "categories" else _single(name, values, kinds.get(name))
    return context or None


def known_context(features: Sequence[Feature], context: Mapping[str, object] | None) -> dict[str, object] | None:
    """Return what a model takes of all that a file knows of a user."""
    names = [feature.name for feature in features if feature.of == "context" and feature.name in (context or {})]
    return {name: (context or {})[name] for name in names} or None


def answer_record(user: str | None, answer: Recommendations, catalogue: Catalogue, backend: str) -> dict[str, Any]:
    """Return an answer as plain values, with titles where the bundle has them."""
    items = [
        {"id": item.id, "score": item.score}
        if catalogue.titles is None
        else {"id": item.id, "title": catalogue.title(catalogue.row(item.id)), "score": item.score}
        for item in answer
    ]
    return {
        "user": user,
        "items": items,
        "ignored": list(answer.ignored),
        "fallback": answer.fallback,
        "backend": backend,
    }


def show_answers(records: Sequence[dict[str, Any]], *, by_user: bool, as_json: bool) -> None:
    """Print answers: of a file a list, or one table with a column for the user."""
    if as_json:
        show_json(records if by_user else records[0])
        return
    show_table(
        [
            ({"user": record["user"]} if by_user else {}) | {"rank": rank} | item
            for record in records
            for rank, item in enumerate(record["items"], 1)
        ]
    )


def warn_ignored(record: Mapping[str, Any]) -> None:
    """Say which ids, and which words of the context, an answer ignored."""
    ignored = record["ignored"]
    if ignored:
        whose = "" if record["user"] is None else f"user {record['user']}: "
        shown = ", ".join(map(plain, ignored[:5])) + (", ..." if len(ignored) > 5 else "")
        say(f"{whose}{len(ignored)} that the bundle does not know were ignored: {shown}")


def _single(name: str, values: Sequence[str], kind: str | None) -> object:
    """Return the one value of a category or a number; None where there is none."""
    if not values or kind != "number":
        return values[0] if values else None
    try:
        return float(values[0])
    except ValueError:
        raise click.BadParameter(f"{name}={values[0]} is no number, like {name}=3.5", param_hint="--context") from None
