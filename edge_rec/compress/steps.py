"""The steps there are, and how they are written: as tables of a recipe, or in one word on the command line."""

from __future__ import annotations

__all__ = ["STEPS", "describe_step", "make_step", "parse_step"]

from dataclasses import MISSING, asdict, fields
from datetime import date, time
from typing import TYPE_CHECKING, Any

from edge_rec.compress.distil import Distil
from edge_rec.compress.factorise import Factorise
from edge_rec.compress.options import nearest, read_words, refuse_unknown
from edge_rec.compress.prune import Prune
from edge_rec.compress.quantise import Quantise
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_rec.compress.step import Step

_LATER = ("dropout", "rotate", "decoder")  # options that steps did not have at first

STEPS: dict[str, type[Step]] = {
    "distil": Distil,
    "factorise": Factorise,
    "prune": Prune,
    "quantise": Quantise,
}


def make_step(kind: object, options: Mapping[str, Any]) -> Step:
    """Make a step of its options; lists become tuples.

    Raises:
        CompressionError: There is no such step, an option that it does not have, or a value that means nothing.
    """
    if not isinstance(kind, str) or kind not in STEPS:
        raise CompressionError(f"there is no step {kind!r}; {nearest(str(kind), STEPS)}")
    step = STEPS[kind]
    known = fields(step)  # type: ignore[arg-type]  # every step is a dataclass
    refuse_unknown(kind, options, [field.name for field in known])
    for field in known:
        if field.default is MISSING and field.default_factory is MISSING and field.name not in options:
            raise CompressionError(f"{kind}: {field.name} is missing; give it, like {kind}:{field.name}=...")
    return step(**{name: _frozen(kind, name, value) for name, value in options.items()})


def parse_step(text: str) -> Step:
    """Read a step from one word: ``prune:criterion=gradient,sparsity=0.8``.

    Raises:
        CompressionError: As `make_step`, or the options cannot be read.
    """
    kind, _, options = text.partition(":")
    return make_step(kind.strip(), read_words(options))


def describe_step(step: Step) -> dict[str, Any]:
    """Return kind, form and options, fit for JSON; `make_step` makes the same step of kind and options.

    All options stand there, but for those of `_LATER` that are not given: what was made before they were is taken as it is.
    """
    options: dict[str, Any] = asdict(step)  # type: ignore[call-overload]  # every step is a dataclass
    options = {name: value for name, value in options.items() if name not in _LATER or value is not None}
    return {"kind": step.kind, "form": step.form, "options": options}


def _frozen(step: str, name: str, value: Any) -> Any:  # noqa: ANN401 - whatever TOML has
    """Make tuples of lists, and refuse what no record can hold."""
    if isinstance(value, list):
        return tuple(_frozen(step, name, one) for one in value)
    if isinstance(value, dict):
        return {key: _frozen(step, name, one) for key, one in value.items()}
    if isinstance(value, date | time):
        raise CompressionError(f"{step}: {name} holds {str(value)!r}, a date or a time; put it in quotes if it is text")
    return value
