"""Requests to a ranker in a file: one JSON object a line, ``{"candidates": ["50", "172"], "context": {"age": "25"}}``."""

from __future__ import annotations

__all__ = ["RankRequest", "read_rank_requests"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge_rec_runtime._jsonl import context_of, is_texts, read_records
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_EXAMPLE = '{"candidates": ["50", "172"], "context": {"age": "25"}}'


@dataclass(frozen=True)
class RankRequest:
    """Candidates to be put in order.

    Attributes:
        candidates: Item ids.
        context: Raw values of context features by name.
        user: The user's id.
    """

    candidates: tuple[str, ...]
    context: Mapping[str, object] | None = field(default=None, hash=False)
    user: str | None = None


def read_rank_requests(path: Path | str) -> list[RankRequest]:
    """Read a file of requests; empty lines are skipped.

    Raises:
        DataError: The file is missing, holds no request, or has a line that is none; the message names the line.
    """
    return [_parse(record, where) for where, record in read_records(path, what="request", example=_EXAMPLE)]


def _parse(record: Mapping[str, Any], where: str) -> RankRequest:
    if not is_texts(record.get("candidates")):
        raise DataError(f"{where}: no list of ids under 'candidates'; expected an object like {_EXAMPLE}, ids in quotes")
    if not isinstance(record.get("user"), str | None):
        raise DataError(f"{where}: user is {record['user']!r}; expected an id in quotes")
    return RankRequest(tuple(record["candidates"]), context=context_of(record, where), user=record.get("user"))
