"""Which step may follow which, and why not.

The table says what is refused; everything else composes. ``python -m edge_rec.compress.composition`` prints it as it stands in
``docs/compression.md``.
"""

from __future__ import annotations

__all__ = ["FORMS", "REFUSED", "check_composition", "table_of_composition"]

from typing import TYPE_CHECKING

from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMS: dict[str, str] = {
    "distil": "a new network learns from the model",
    "factorise:layers": "dense layers become products of two",
    "factorise:items": "the item table becomes a product of two",
    "prune:structured": "neurons, heads or dimensions are cut out",
    "prune:weights": "single weights become zero",
    "prune:2:4": "two of every four weights become zero",
    "quantise:fixed-point": "values move onto a grid of powers of two or ten",
    "quantise:int8": "values move onto the int8 grid of their row",
    "quantise:int4": "values move onto the int4 grid of their row",
    "quantise:pq": "items become rows of code books",
    "quantise:binary-items": "items become signs",
    "quantise:binary-network": "weights become signs",
}

_ITEMS = ("quantise:pq", "quantise:binary-items")
_GRIDS = ("quantise:fixed-point", "quantise:int8", "quantise:int4")
_QUANTISED = (*_GRIDS, *_ITEMS, "quantise:binary-network")
_SPARSE = ("prune:weights", "prune:2:4")

_NEW = "a student is a new network, and what was done to the model before would be lost; distil first"
_OFF = "its training moves values off the grid that they were put on; quantise last"
_CODED = "its training moves the item vectors that the codes were made of; quantise last"
_SIGNS = "a sign has no zero, so nothing can be pruned any more; prune first"
_BACK = "a sign has no zero, so the pruned weights would come back; prune neurons or heads (structured)"
_FILLED = "the factors of a matrix with zeros have none; factorise first, then prune the factors"
_CUT = "neurons and heads are cut out of whole layers, and these are products of two; cut first, then factorise"
_FEW = "the few columns of a factor each tell much, so two of every four are the wrong ones to lose; prune weights freely"
_BLOCKS = "cutting columns shifts the blocks of four; cut first"
_TWICE = "two of every four are zero already"
_ONE_GRID = "values have one grid; choose one of the two"
_ITEMS_FIRST = "the network is trained to see the codes of the items; quantise the items first, then the network"
_SAME = "it is done already; change the options of the first one"
_ITEMS_ONCE = "items have one code; choose one of the two"


def _after(earlier: Sequence[str], reason: str) -> dict[str, str]:
    return dict.fromkeys(earlier, reason)


# later step -> earlier step -> why the later must not follow, at once or with others between
REFUSED: dict[str, Mapping[str, str]] = {
    "distil": _after([form for form in FORMS if form != "distil"], _NEW),
    "factorise:layers": _after(_SPARSE, _FILLED) | _after(_QUANTISED, _OFF) | _after(_ITEMS, _CODED),
    "factorise:items": _after(_SPARSE, _FILLED) | _after(_QUANTISED, _OFF) | _after(_ITEMS, _CODED),
    "prune:structured": {"factorise:layers": _CUT, "prune:2:4": _BLOCKS}
    | _after(_GRIDS, _OFF)
    | _after(_ITEMS, _CODED)
    | {"quantise:binary-network": _OFF},
    "prune:weights": _after(_GRIDS, _OFF) | _after(_ITEMS, _SIGNS) | {"quantise:pq": _CODED, "quantise:binary-network": _SIGNS},
    "prune:2:4": {"factorise:layers": _FEW, "factorise:items": _FEW, "prune:2:4": _TWICE}
    | _after(_GRIDS, _OFF)
    | {"quantise:pq": _CODED, "quantise:binary-items": _SIGNS, "quantise:binary-network": _SIGNS},
    "quantise:fixed-point": _after([form for form in _QUANTISED if form != "quantise:fixed-point"], _ONE_GRID)
    | {"quantise:fixed-point": _SAME},
    "quantise:int8": {"quantise:fixed-point": _ONE_GRID, "quantise:int8": _SAME},
    "quantise:int4": {"quantise:fixed-point": _ONE_GRID, "quantise:int4": _SAME},
    "quantise:pq": _after(_GRIDS, _ITEMS_FIRST)
    | {"quantise:binary-network": _ITEMS_FIRST, "quantise:binary-items": _ITEMS_ONCE, "quantise:pq": _SAME},
    "quantise:binary-items": _after(_GRIDS, _ITEMS_FIRST)
    | {"quantise:binary-network": _ITEMS_FIRST, "quantise:pq": _ITEMS_ONCE, "quantise:binary-items": _SAME},
    "quantise:binary-network": _after(_SPARSE, _BACK) | {"quantise:fixed-point": _ONE_GRID, "quantise:binary-network": _SAME},
}


def check_composition(forms: Sequence[str], *, done: int = 0) -> None:
    """Refuse steps that do not compose.

    Args:
        forms: One word a step, in order; every step is held against all before it.
        done: How many of them the model has behind it already.

    Raises:
        CompressionError: One must not follow another; the message has the reason.
    """
    for place, later in enumerate(forms):
        for number, earlier in enumerate(forms[:place]):
            if place >= done and (reason := REFUSED.get(later, {}).get(earlier)):
                before = f"{earlier}, which the model has behind it" if number < done else f"step {number - done + 1}, {earlier}"
                raise CompressionError(f"step {place - done + 1}, {later}, cannot come after {before}: {reason}")


def table_of_composition() -> str:
    """Return the table in Markdown: the later step above, the earlier one to the left, numbers for the reasons below."""
    reasons = list(dict.fromkeys(reason for earlier in REFUSED.values() for reason in earlier.values()))
    lines = [
        f"| first \\ then | {' | '.join(f'`{form}`' for form in FORMS)} |",
        f"|---|{'---|' * len(FORMS)}",
    ]
    for earlier, meaning in FORMS.items():
        cells = (REFUSED.get(later, {}).get(earlier) for later in FORMS)
        words = " | ".join("yes" if reason is None else f"({reasons.index(reason) + 1})" for reason in cells)
        lines.append(f"| `{earlier}`: {meaning} | {words} |")
    numbered = [f"{number}. {reason[0].upper()}{reason[1:]}." for number, reason in enumerate(reasons, 1)]
    return "\n".join([*lines, "", "Refused, since:", "", *numbered])


if __name__ == "__main__":
    print(table_of_composition())  # noqa: T201 - the page is made of it
