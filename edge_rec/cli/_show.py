"""What every command prints with: a table for people, JSON for programs, a bar for long work. Nothing else prints."""

from __future__ import annotations

__all__ = ["Bar", "json_option", "plain", "results_alone", "say", "show_json", "show_table"]

import contextlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


def json_option(function: _F) -> _F:
    """Add ``--json`` to a command, as the argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")(function)


def say(text: str) -> None:
    """Print one line for people, on standard error, so that standard output stays for results."""
    click.echo("\n".join(map(plain, text.split("\n"))), err=True)


def show_json(value: object) -> None:
    """Print a value as JSON on standard output, and nothing that its encoding does not have."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    click.echo(text if _encodable(text) else json.dumps(value, indent=2))


def results_alone() -> contextlib.AbstractContextManager[object]:
    """While a stranger's model runs, send what it prints to standard error; standard output is for results."""
    return contextlib.redirect_stdout(sys.stderr)


def plain(text: str) -> str:
    """Return a text on one line, with what would command a terminal, or could not be printed, written as escapes.

    Ids and titles come from outside: ``\x1b[2J`` in a title must not clear the screen of who reads it.
    """
    if text.isprintable() and _encodable(text):
        return text
    return "".join(one if one.isprintable() and _encodable(one) else _escaped(one) for one in text)


def _encodable(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _escaped(character: str) -> str:
    return " " if character.isspace() and character not in "\n\r" else character.encode("unicode_escape").decode("ascii")


def show_table(rows: Sequence[Mapping[str, object]], *, columns: Sequence[str] | None = None) -> None:
    """Print rows as an aligned table: numbers to the right, words to the left.

    Args:
        rows: One mapping a row.
        columns: Keys to show, in order; all keys of the first row unless given.
    """
    if not rows:
        click.echo("(no rows)")
        return
    names = list(columns or rows[0])
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    numeric = [all(isinstance(row.get(name), int | float) or row.get(name) is None for row in rows) for name in names]
    widths = [max(len(name), *(len(line[i]) for line in cells)) for i, name in enumerate(names)]
    click.echo("  ".join(_pad(name, width, right) for name, width, right in zip(names, widths, numeric, strict=True)).rstrip())
    for line in cells:
        click.echo("  ".join(_pad(text, width, right) for text, width, right in zip(line, widths, numeric, strict=True)).rstrip())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    return plain(str(value))


def _pad(text: str, width: int, right: bool) -> str:  # noqa: FBT001 - private, read at its two calls
    return text.rjust(width) if right else text.ljust(width)


class Bar:
    """A progress bar on standard error, or one line where that is no terminal. Pass it wherever a ``Progress`` is asked for."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None
        self._done = 0
        self._said = False

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Show ``done`` of ``total`` steps."""
        if not sys.stderr.isatty():
            if not self._said:
                say(f"{self._label} ...")
            self._said = True
            return
        if self._bar is None:
            self._bar = click.progressbar(
                length=total, label=self._label, file=sys.stderr, item_show_func=lambda item: item or ""
            )
            self._bar.__enter__()
        self._bar.update(done - self._done, note)
        self._done = done
        if done >= total:
            self._bar.__exit__(None, None, None)
            self._bar = None
            self._done = 0
