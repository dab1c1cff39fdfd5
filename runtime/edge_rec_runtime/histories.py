"""Histories of users in a file: one JSON object a line, ``{"user": "1", "history": ["50", "172"], "target": "181"}``.

What a model takes besides the events stands under ``context``: ``{"history": ["50"], "context": {"age": "25", "tags": ["a"]}}``.
"""

from __future__ import annotations

__all__ = ["History", "read_histories", "write_histories"]

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_rec_runtime._jsonl import context_of, is_texts, read_records
from edge_rec_runtime.atomic import replace_file
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_EXAMPLE = '{"history": ["50", "172"]}'


@dataclass(frozen=True)
class History:
    """What a user met, and where it is known, what came next.

    Attributes:
        events: Item ids, oldest first.
        target: The event after them, held out.
        user: The user's id.
        context: Raw values of context features by name, for models that take some.
    """

    events: tuple[str, ...]
    target: str | None = None
    user: str | None = None
    context: Mapping[str, object] | None = field(default=None, hash=False)


def read_histories(path: Path | str) -> list[History]:
    """Read a file of histories; empty lines are skipped.

    Raises:
        DataError: The file is missing, holds no history, or has a line that is none; the message names the line.
    """
    return [_parse(record, where) for where, record in read_records(path, what="history", example=_EXAMPLE)]


def write_histories(path: Path | str, histories: Iterable[History]) -> None:
    """Write histories, replacing the file as a whole."""
    replace_file(Path(path), lambda stream: stream.writelines(map(_line, histories)))


def _line(history: History) -> bytes:
    record: dict[str, object] = {} if history.user is None else {"user": history.user}
    record["history"] = list(history.events)
    if history.target is not None:
        record["target"] = history.target
    if history.context is not None:
        record["context"] = dict(history.context)
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _parse(record: Mapping[str, Any], where: str) -> History:
    if not is_texts(record.get("history")):
        raise DataError(f"{where}: no list of ids under 'history'; expected an object like {_EXAMPLE}, ids in quotes")
    for key in ("target", "user"):
        if not isinstance(record.get(key), str | None):
            raise DataError(f"{where}: {key} is {record[key]!r}; expected an id in quotes")
    return History(
        tuple(record["history"]),
        target=record.get("target"),
        user=record.get("user"),
        context=context_of(record, where),
    )
