"""Texts of a catalogue: lines, and values of each item; what does not parse is one sentence."""

from __future__ import annotations

__all__ = ["parse_attributes", "parse_lines"]

import json
from typing import NoReturn

from edge_rec_runtime.errors import BundleError


def parse_lines(content: bytes, member: str, count: int | None) -> tuple[str, ...]:
    """Return the lines of a member, of which there must be so many, unless None."""
    lines = _text(content, member).split("\n")
    if lines.pop() != "" or (count is not None and len(lines) != count):
        raise BundleError(
            f"member {member!r} has {len(lines)} lines or no end; expected {count or 'some'}, and a line break after the last"
        )
    return tuple(lines)


def parse_attributes(content: bytes, member: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return for each attribute the values of every item."""
    try:
        record = json.loads(_text(content, member))
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        _refuse_attributes(member)
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for name, items in record.items():
        if not isinstance(items, list):
            _refuse_attributes(member)
        for values in items:
            if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
                _refuse_attributes(member)
        found[name] = tuple(map(tuple, items))
    return found


def _text(content: bytes, member: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise BundleError(f"member {member!r} is not UTF-8 text; the file is damaged") from None


def _refuse_attributes(member: str) -> NoReturn:
    raise BundleError(f"member {member!r} is no object of lists of values; the file is damaged")
