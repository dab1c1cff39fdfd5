"""Untrusted JSON becomes a frozen dataclass, or one sentence that names the place where it does not fit."""

from __future__ import annotations

__all__ = ["decode"]

import re
import types
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from edge_rec_runtime.errors import MeasurementError

_HALF = re.compile("[\ud800-\udfff]")  # half of a character, which no UTF-8 file can hold
_T = TypeVar("_T")
_MOST = 10**18  # no byte, no nanosecond since a machine started and no count is beyond it
_KINDS = {int: "a whole number from 0 to 10^18", float: "a number from 0 to 10^18", str: "a text", bool: "true or false"}


def decode(value: object, kind: type[_T], *, where: str) -> _T:
    """Check a parsed JSON value against a type and return it as that type.

    Args:
        value: What ``json.loads`` returned.
        kind: A dataclass, ``int``, ``float``, ``str``, ``bool``, or ``tuple``, ``dict`` and optional forms of them.
        where: How messages name the place, for example ``"a.json: results[0]"``.

    Raises:
        MeasurementError: A value of another type, a missing key, or a number that is negative, not finite or absurd.
    """
    checked: _T = _decode(value, kind, where)
    return checked


def _decode(value: object, kind: Any, where: str) -> Any:  # noqa: ANN401 - the type is known at run time only
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else _decode(value, inner, where)
    if origin is tuple:
        items = _expect(value, list, "a list", where)
        kinds = [arguments[0]] * len(items) if arguments[-1] is Ellipsis else list(arguments)
        if len(items) != len(kinds):
            raise _misfit(where, f"a list of {len(items)}", f"a list of {len(kinds)}")
        return tuple(_decode(item, part, f"{where}[{i}]") for i, (item, part) in enumerate(zip(items, kinds, strict=True)))
    if origin is dict:
        entries = _expect(value, dict, "an object", where)
        return {_scalar(key, str, where): _decode(item, arguments[1], f"{where}.{key}") for key, item in entries.items()}
    if is_dataclass(kind):
        return _record(_expect(value, dict, "an object", where), kind, where)
    return _scalar(value, kind, where)


def _record(entries: dict[str, object], kind: Any, where: str) -> Any:  # noqa: ANN401 - as above
    hints = get_type_hints(kind)
    found = {}
    for attribute in fields(kind):
        if attribute.name in entries:
            found[attribute.name] = _decode(entries[attribute.name], hints[attribute.name], f"{where}.{attribute.name}")
        elif attribute.default is MISSING and attribute.default_factory is MISSING:
            raise _misfit(where, f"no key {attribute.name!r}", "one")
    try:
        return kind(**found)
    except MeasurementError as error:
        raise MeasurementError(f"{where}: {error}") from error


def _scalar(value: object, kind: Any, where: str) -> Any:  # noqa: ANN401 - as above
    if kind in {int, float}:
        # A whole number will do for a float, and no NaN is between 0 and anything.
        if isinstance(value, int | kind) and not isinstance(value, bool) and 0 <= value <= _MOST:
            return kind(value)
    elif type(value) is kind and not (isinstance(value, str) and _HALF.search(value)):
        return value
    raise _misfit(where, _shown(value), _KINDS[kind])


def _expect(value: object, kind: type[_T], words: str, where: str) -> _T:
    if not isinstance(value, kind):
        raise _misfit(where, _shown(value), words)
    return value


def _shown(value: object) -> str:
    text = str(value) if isinstance(value, int | float) else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _misfit(where: str, found: str, expected: str) -> MeasurementError:
    return MeasurementError(
        f"{where} has {found}, expected {expected}; the file was changed or damaged, measure the bundle again"
    )
