"""Histories of users in a file: one JSON object a line, ``{"user": "1", "history": ["50", "172"], "target": "181"}``."""

from __future__ import annotations

__all__ = ["History", "read_histories", "write_histories"]

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_rec_runtime.atomic import replace_file
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class History:
    """What a user met, and where it is known, what came next.

    Attributes:
        events: Item ids, oldest first.
        target: The event after them, held out.
        user: The user's id.
    """

    events: tuple[str, ...]
    target: str | None = None
    user: str | None = None


def read_histories(path: Path | str) -> list[History]:
    """Read a file of histories; empty lines are skipped.

    Raises:
        DataError: The file is missing, holds no history, or has a line that is none; the message names the line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; expected a JSONL file of histories") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text ({error}); expected a JSONL file of histories") from error
    histories = [_parse(line, f"{path}, line {number}") for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not histories:
        raise DataError(f'{path}: holds no history; expected lines like {{"history": ["50", "172"]}}')
    return histories


def write_histories(path: Path | str, histories: Iterable[History]) -> None:
    """Write histories, replacing the file as a whole."""
    replace_file(Path(path), lambda stream: stream.writelines(map(_line, histories)))


def _line(history: History) -> bytes:
    record: dict[str, object] = {} if history.user is None else {"user": history.user}
    record["history"] = list(history.events)
    if history.target is not None:
        record["target"] = history.target
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _parse(line: str, where: str) -> History:
    expected = 'expected an object like {"history": ["50", "172"]}'
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise DataError(f"{where}: {line[:60]!r} is not JSON; {expected}") from None
    if not isinstance(record, dict) or not _is_ids(record.get("history")):
        raise DataError(f"{where}: {line[:60]!r} has no list of ids under 'history'; {expected}, ids in quotes")
    for key in ("target", "user"):
        if not isinstance(record.get(key), str | None):
            raise DataError(f"{where}: {key} is {record[key]!r}; expected an id in quotes")
    history = History(tuple(record["history"]), target=record.get("target"), user=record.get("user"))
    try:
        "".join((*history.events, history.target or "", history.user or "")).encode()
    except UnicodeEncodeError:
        raise DataError(f"{where}: {line[:60]!r} holds half a character, a lone surrogate; write ids as UTF-8") from None
    return history


def _is_ids(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
