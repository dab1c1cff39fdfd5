"""Options of steps, as recipes and the command line write them: read, named, refused with the nearest known word."""

from __future__ import annotations

__all__ = ["check_dropout", "check_number", "check_whole", "nearest", "read_words", "refuse_unknown", "require_one"]

import difflib
import math
import re
import tomllib
from typing import TYPE_CHECKING, Any

from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Iterable

_OPENING, _CLOSING = "[{", "]}"
_POINT = re.compile(r"[+-]?(\.[0-9]+|[0-9]+\.)")  # .5 and 1. are numbers to people, not to TOML


def nearest(word: str, known: Iterable[str]) -> str:
    """Return what to say about a word that is not known: the nearest that is, or all of them."""
    words = list(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(words)}"


def refuse_unknown(where: str, found: Iterable[str], known: Iterable[str]) -> None:
    """Refuse keys that mean nothing.

    Args:
        where: What they are of, for the message.
        found: The keys.
        known: Those that mean something.

    Raises:
        CompressionError: A key is not known; the message names the nearest that is.
    """
    words = list(known)
    for key in found:
        if key not in words:
            raise CompressionError(f"{where} has no option {key!r}; {nearest(key, words)}")


def read_words(text: str) -> dict[str, Any]:
    """Read ``name=value,name=value``. Values are as in TOML; what is no TOML is text, so that most need no quotes.

    Raises:
        CompressionError: A part is no assignment, or a name stands twice.
    """
    found: dict[str, Any] = {}
    for part in _parts(text):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not name or not equals or not value:
            raise CompressionError(f"{part.strip()!r} is not NAME=VALUE; write options like sparsity=0.8,schedule=iterative")
        if name in found:
            raise CompressionError(f"option {name!r} is given twice; give it once")
        found[name] = _value(value)
    return found


def _parts(text: str) -> list[str]:
    """Split at the commas that stand outside of brackets and quotes."""
    parts, depth, quote = [""], 0, ""
    for one in text:
        if quote:
            quote = "" if one == quote else quote
        elif one in "\"'":
            quote = one
        else:
            depth += (one in _OPENING) - (one in _CLOSING)
        if one == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += one
    if depth or quote:
        raise CompressionError(f"{text!r} has a bracket or a quote without its other half; close it, or take it out")
    return [] if parts == [""] else parts


def _value(text: str) -> Any:  # noqa: ANN401 - whatever TOML has
    if _POINT.fullmatch(text):
        return float(text)
    try:
        read = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return read["value"] if set(read) == {"value"} else text


def check_number(
    step: str, name: str, value: object, *, above: float = -math.inf, below: float = math.inf, least: float = -math.inf
) -> None:
    """Refuse an option that is no number in its range.

    Args:
        step: The step, for the message.
        name: The option.
        value: What was given.
        above: It must be more than this.
        below: It must be less than this.
        least: It must be at least this.

    Raises:
        CompressionError: It is not.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not (above < value < below and value >= least):  # type: ignore[operator]  # a number by now
        bounds = [f"above {above:g}"] * math.isfinite(above) + [f"from {least:g}"] * math.isfinite(least)
        bounds += [f"below {below:g}"] * math.isfinite(below)
        raise CompressionError(f"{step}: {name}={value!r}; expected a number {' and '.join(bounds)}".rstrip())


def check_dropout(step: str, value: object, *, epochs: int = 1) -> None:
    """Refuse a share of hidden activations that is none, or that no epoch would hide; None is the model's own.

    Raises:
        CompressionError: It is.
    """
    if value is not None:
        check_number(step, "dropout", value, least=0, below=1)
        if not epochs:
            raise CompressionError(f"{step}: dropout={value!r} does nothing with epochs=0; leave it out, or ask for epochs")


def check_whole(step: str, name: str, value: object, *, least: int = 1) -> None:
    """Refuse an option that is no whole number from ``least`` up.

    Raises:
        CompressionError: It is not.
    """
    if type(value) is not int or value < least:
        raise CompressionError(f"{step}: {name}={value!r}; expected a whole number from {least} up")


def require_one(step: str, **options: object) -> str:
    """Return the name of the one option that is given, that is, neither None nor False.

    Raises:
        CompressionError: None is, or several are.
    """
    given = [name for name, value in options.items() if value is not None and value is not False]
    if len(given) != 1:
        state = f"{' and '.join(given)} are given" if given else "none is given"
        raise CompressionError(f"{step}: exactly one of {', '.join(options)} is needed; {state}")
    return given[0]
