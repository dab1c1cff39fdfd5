"""What comes with a request, checked: ids, how many are asked for, the values of context features."""

from __future__ import annotations

__all__ = ["check_count", "encode_context", "texts", "unknown_words"]

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_runtime._near import nearest
from edge_rec_runtime.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_rec_runtime.features import Feature


def check_count(k: int) -> None:
    """Refuse a k that is no whole number above 0.

    Raises:
        RequestError: It is none.
    """
    if not isinstance(k, int | np.integer) or k < 1:
        raise RequestError(f"k is {k!r}; ask for at least 1 item, as a whole number")


def texts(ids: Iterable[str], what: str) -> Sequence[str]:
    """Return ids as a sequence.

    Raises:
        RequestError: It is a single text, or something in it is none.
    """
    single = isinstance(ids, str) or not isinstance(ids, Iterable)
    found = () if single else tuple(ids)
    if single or not {str}.issuperset(map(type, found)):  # looks at all of them at once: a request holds hundreds
        odd = [ids] if single else [one for one in found if not isinstance(one, str)]
        if not odd:
            return found
        raise RequestError(
            f"{what} holds {odd[0]!r} ({type(odd[0]).__name__}); expected a list of item ids as text, like ['50', '172']"
        )
    return found


def encode_context(features: Sequence[Feature], context: Mapping[str, object] | None) -> dict[str, NDArray[Any]]:
    """Encode the context of one request: for each feature of the context an array of one row.

    Raises:
        RequestError: A feature has no value, a value is not of its feature's kind, or is of none that the model takes.
    """
    return {feature.name: feature.encode([value]) for feature, value in _values(features, context)}


def unknown_words(features: Sequence[Feature], context: Mapping[str, object] | None) -> tuple[str, ...]:
    """Return the words of a context that its features do not know, each as ``name=word``.

    Raises:
        RequestError: See `encode_context`.
    """
    return tuple(f"{feature.name}={word}" for feature, value in _values(features, context) for word in feature.unknown([value]))


def _values(features: Sequence[Feature], context: Mapping[str, object] | None) -> list[tuple[Feature, object]]:
    """Return the features of the context, each with its value."""
    if context is not None and not isinstance(context, Mapping):
        raise RequestError(f"context is {repr(context)[:60]}; expected values by name, like {{'age': '25'}}")
    given = context or {}
    wanted = {feature.name: feature for feature in features if feature.of == "context"}
    if not wanted and given:
        raise RequestError(f"this model takes no context and got {list(given)}; leave it out")
    names = ", ".join(f"{feature.name} ({feature.kind})" for feature in wanted.values())
    missing = [name for name in wanted if name not in given]
    if missing:
        raise RequestError(f"the context lacks {', '.join(missing)}; this model needs {names}, None where a word is not known")
    for name in given:
        if name not in wanted:
            near = nearest(str(name), wanted)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise RequestError(f"the context holds {name!r}, which this model does not take; it needs {names}{hint}")
    return [(feature, given[name]) for name, feature in wanted.items()]
