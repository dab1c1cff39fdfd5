"""Which weight is stored and computed in which precision: one default, and patterns of names that say otherwise.

The first layers of a ranker and the last ones of an encoder often lose more than all the rest together. A plan keeps those in
a finer precision while the bulk goes down.
"""

from __future__ import annotations

__all__ = ["LAYER_PRECISIONS", "TABLE_PRECISIONS", "Plan"]

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Self

from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LAYER_PRECISIONS = ("fp32", "fp16", "int8-static", "int8-dynamic", "int8-weights", "binary")
TABLE_PRECISIONS = ("fp32", "fp16", "int8", "int4", "binary")

# What a pattern's precision means for a table whose rows are looked up.
_TABLES = {
    "fp32": "fp32",
    "fp16": "fp16",
    "int8-static": "int8",
    "int8-dynamic": "int8",
    "int8-weights": "int8",
    "binary": "binary",
}


@dataclass(frozen=True)
class Plan:
    """Rules in the order in which they are tried.

    Attributes:
        rules: (pattern, precision): names are matched by `fnmatch`, case counts, the first match wins.
    """

    rules: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuse precisions that are not known."""
        for pattern, precision in self.rules:
            if precision not in LAYER_PRECISIONS:
                raise ConversionError(
                    f"layers: {pattern!r} is given the precision {precision!r}; use one of {', '.join(LAYER_PRECISIONS)}"
                )

    @classmethod
    def of(cls, *, layers: Mapping[str, str] | None = None, float_weights: Iterable[str] = ()) -> Self:
        """Return the plan of a conversion.

        Args:
            layers: Pattern -> precision, as the caller wants it.
            float_weights: Patterns of weights that stay fp32 whatever the caller wants: the model's author knows why.
        """
        return cls((*((pattern, "fp32") for pattern in float_weights), *(layers or {}).items()))

    def layer(self, name: str, default: str) -> str:
        """Return the precision of a weight that is multiplied or added."""
        return next((precision for pattern, precision in self.rules if fnmatchcase(name, pattern)), default)

    def table(self, name: str, default: str) -> str:
        """Return the precision of a table whose rows are looked up, one of `TABLE_PRECISIONS`."""
        asked = self.layer(name, "")
        return _TABLES[asked] if asked else default

    def require_known(self, names: Iterable[str]) -> None:
        """Check that every pattern but ``*`` matches a weight.

        Args:
            names: All weights of the graph.

        Raises:
            ConversionError: One matches none, so that a weight would be rounded otherwise than was meant.
        """
        known = list(names)
        for pattern, precision in self.rules:
            if pattern != "*" and not any(fnmatchcase(name, pattern) for name in known):
                raise ConversionError(
                    f"layers: {pattern!r} shall be {precision} and matches no weight; the weights are "
                    f"{', '.join(known[:8]) or 'none'}{', ...' if len(known) > 8 else ''}"
                )
