"""Requests in files: one JSON object a line, of plain values, each line refused by its number."""

from __future__ import annotations

__all__ = ["context_of", "is_texts", "read_records"]

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_records(path: Path | str, *, what: str, example: str) -> list[tuple[str, dict[str, Any]]]:
    """Read the objects of a file; empty lines are skipped.

    Args:
        path: The file.
        what: What a line is, as it should read after "holds no".
        example: A line as it should be.

    Returns:
        For each object where it stands, for messages, and the object; every text in it can be written as UTF-8.

    Raises:
        DataError: The file is missing, holds none, or a line is no object.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; expected a JSONL file, lines like {example}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text ({error}); expected a JSONL file, lines like {example}") from error
    lines = [(f"{path}, line {number}", line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise DataError(f"{path}: holds no {what}; expected lines like {example}")
    return [(where, _record(line, where, example)) for where, line in lines]


def context_of(record: Mapping[str, Any], where: str) -> Mapping[str, object] | None:
    """Return the values of features under ``context``, or None where there are none.

    Raises:
        DataError: They are not plain values by name.
    """
    context = record.get("context")
    plain = isinstance(context, dict) and all(
        one is None or isinstance(one, str | int | float) or is_texts(one) for one in context.values()
    )
    if context is not None and not plain:
        raise DataError(
            f"{where}: context is {repr(context)[:60]}; "
            'expected values by name, each a text, a number or a list of texts, like {"age": "25"}'
        )
    return context


def is_texts(value: object) -> bool:
    """Return whether a value of JSON is a list of texts."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _record(line: str, where: str, example: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise DataError(f"{where}: {line[:60]!r} holds half a character, a lone surrogate; write it as UTF-8") from None
    except (ValueError, RecursionError):
        raise DataError(f"{where}: {line[:60]!r} is not JSON; expected an object like {example}") from None
    if not isinstance(record, dict):
        raise DataError(f"{where}: {line[:60]!r} is no object; expected one like {example}")
    return record
