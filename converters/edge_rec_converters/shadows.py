"""Shadows of item tables: which bundles get one, so that a search reads a part of the table and finds the same.

A shadow costs half a byte a value and two bytes a row, all of which a search reads; what it saves is reading the table itself.
That pays from some size on, found by timing searches with and without one (``benchmarks/shadow.py``).
"""

from __future__ import annotations

__all__ = ["CHOICES", "LEAST_ROWS", "require_shadow", "shadowed"]

from typing import TYPE_CHECKING

from edge_rec_runtime.codes import LAYOUTS, Shadow, Shadowed
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_rec_runtime import ItemTable, Precision

CHOICES = ("auto", "yes", "no")

# from so many rows on a search for ten items is faster with a shadow, on paths with and without AVX-512
LEAST_ROWS = {"fp32": 10_000, "fp16": 10_000, "int8": 200_000}


def require_shadow(precision: Precision, choice: str) -> None:
    """Refuse a choice that is none, and a shadow for items of a layout that has none.

    Raises:
        ConversionError: See above.
    """
    if choice not in CHOICES:
        raise ConversionError(f"shadow is {choice!r}; use one of {', '.join(CHOICES)}")
    if choice == "yes" and not issubclass(LAYOUTS[precision.items], Shadowed):
        raise ConversionError(
            f"items={precision.items} cannot have a shadow: it stands before items in {', '.join(LEAST_ROWS)}; "
            "leave --shadow at auto"
        )


def shadowed(tables: Mapping[str, ItemTable], choice: str) -> dict[str, ItemTable]:
    """Return the tables of a bundle, that of the items with a shadow where it is asked for, or pays; never for candidates."""
    items = tables["items"]
    if not isinstance(items, Shadowed) or choice == "no":
        return dict(tables)
    if choice == "auto" and items.rows < LEAST_ROWS[items.layout]:
        return dict(tables)
    return {**tables, "items": items.with_shadow(Shadow.encode(items))}
