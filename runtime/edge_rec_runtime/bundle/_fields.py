"""A manifest's JSON and single values out of it: each is what it must be, or one sentence says what it is."""

from __future__ import annotations

__all__ = ["choice", "digest", "load", "mapping", "mappings", "number", "optional_text", "shape", "text", "truth"]

import json
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn

from edge_rec_runtime.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DIGEST = re.compile("[0-9a-f]{64}")
_MOST = 2**53 - 1  # whole numbers that every JSON reader keeps


def load(text: bytes) -> Mapping[str, Any]:
    """Return a manifest's object; every number in it is finite, and no key stands twice."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    def finite(number: str) -> float:
        value = float(number)
        if not math.isfinite(value):
            refuse(number)
        return value

    try:
        record = json.loads(text.decode(), parse_constant=refuse, parse_float=finite, object_pairs_hook=_unique_keys)
    except RecursionError:
        raise BundleError("manifest.json is nested too deep; the file is hostile") from None
    except ValueError as error:
        raise BundleError(f"manifest.json is not the JSON of a manifest ({str(error)[:120]}); the file is damaged") from None
    if not isinstance(record, dict):
        raise BundleError(f"manifest.json holds a {type(record).__name__}; expected an object, the file is damaged")
    return record


def text(record: Mapping[str, Any], key: str) -> str:
    """Return a text of at most 1,000 characters."""
    value = record.get(key)
    if not isinstance(value, str) or len(value) > 1000:
        _refuse(key, value, "a text")
    return value


def optional_text(record: Mapping[str, Any], key: str) -> str | None:
    """Return a text or None."""
    return None if record.get(key) is None else text(record, key)


def choice(record: Mapping[str, Any], key: str, known: Sequence[str]) -> str:
    """Return one of the known words."""
    value = text(record, key)
    if value not in known:
        _refuse(key, value, " or ".join(map(repr, known)))
    return value


def number(record: Mapping[str, Any], key: str, *, least: int = 0, most: int = _MOST) -> int:
    """Return a whole number."""
    value = record.get(key)
    if type(value) is not int or not least <= value <= most:
        _refuse(key, value, f"a whole number from {least} to {most}")
    return int(value)


def truth(record: Mapping[str, Any], key: str) -> bool:
    """Return true or false."""
    value = record.get(key)
    if not isinstance(value, bool):
        _refuse(key, value, "true or false")
    return value


def shape(record: Mapping[str, Any], key: str) -> tuple[int, ...]:
    """Return the shape of an array of one to three axes, none of them empty."""
    value = record.get(key)
    if (
        not isinstance(value, list)
        or len(value) not in (1, 2, 3)
        or not all(type(axis) is int and 0 < axis <= _MOST for axis in value)
    ):
        _refuse(key, value, "one to three axes above 0")
    return tuple(value)


def mapping(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object."""
    value = record.get(key)
    if not isinstance(value, dict):
        _refuse(key, value, "an object")
    return value


def mappings(record: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    """Return a list of objects."""
    value = record.get(key)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        _refuse(key, value, "a list of objects")
    return value


def digest(record: Mapping[str, Any], member: str) -> str:
    """Return a member's SHA-256."""
    value = mapping(record, "sha256")[member]
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        _refuse(f"sha256 of {member!r}", value, "64 hex digits")
    return value


def _unique_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, for ``json.loads``; a key that stands twice is refused."""
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a key stands twice")
    return record


def _refuse(key: str, value: object, expected: str) -> NoReturn:
    raise BundleError(f"manifest.json: {key} is {repr(value)[:60]}; expected {expected}, the file is damaged or of another kind")
