"""Which step may follow which, and why not.

The table says what is refused; everything else composes. ``python -m edge_rec.compress.composition`` prints it as it stands in
``docs/compression.md``. Its words are finer than the forms of steps where an option decides: a step that puts items and network
on the int8 grid has the words of both.
"""

from __future__ import annotations

__all__ = ["REFUSED", "WORDS", "check_composition", "table_of_composition", "words_of"]

from itertools import product
from typing import TYPE_CHECKING, Any

from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORDS: dict[str, str] = {
    "distil": "a new network learns from the model",
    "factorise:layers": "dense layers become products of two",
    "factorise:items": "the item table becomes a product of two",
    "prune:structured": "neurons, heads or dimensions are cut out",
    "prune:weights": "single weights become zero",
    "prune:rows": "whole items become zero",
    "prune:2:4": "two of every four weights become zero",
    "quantise:fixed-point": "values move onto a grid of powers of two or ten",
    "quantise:int8-items": "items move onto the int8 grid of their row",
    "quantise:int8-network": "weights of the network move onto the int8 grid of their row",
    "quantise:int4": "items move onto the int4 grid of their row",
    "quantise:pq": "items become rows of code books",
    "quantise:binary-items": "items become signs",
    "quantise:binary-network": "weights become signs",
}

_CODES = ("quantise:int8-items", "quantise:int4", "quantise:pq", "quantise:binary-items")
_NETWORK = ("quantise:int8-network", "quantise:binary-network")
_LOSSY = ("quantise:pq", "quantise:binary-items")  # their codes have no zeros
_GRIDS = ("quantise:fixed-point", "quantise:int8-items", "quantise:int8-network", "quantise:int4")
_QUANTISED = (*_GRIDS, *_LOSSY, "quantise:binary-network")
_SPARSE = ("prune:weights", "prune:rows", "prune:2:4")

_NEW = "a student is a new network, and what was done to the model before would be lost; distil first"
_OFF = "its training moves values off the grid that they were put on; quantise last"
_CODED = "its training moves the item vectors that the codes were made of; quantise last"
_SIGNS = "a sign has no zero, so nothing can be pruned any more; prune first"
_BACK = "a sign has no zero, so the pruned weights would come back; prune neurons or heads (structured)"
_ROWS_BACK = "codes of this kind have no zeros, so the pruned items would come back; quantise to int4 or int8"
_FILLED = "the factors of a matrix with zeros have none; factorise first, then prune the factors"
_CUT = "neurons and heads are cut out of whole layers, and these are products of two; cut first, then factorise"
_FEW = "the few columns of a factor each tell much, so two of every four are the wrong ones to lose; prune weights freely"
_BLOCKS = "cutting columns shifts the blocks of four; cut first"
_TWICE = "two of every four are zero already"
_ONE_GRID = "values have one grid; choose one of the two"
_ITEMS_FIRST = "the network is trained to see the codes of the items; quantise the items first, then the network"
_SAME = "it is done already; change the options of the first one"
_ITEMS_ONCE = "items have one code; choose one of the two, and say items=false where int8 is for the network alone"
_EIGHT = "the weights that are no signs are in eight bits already"


def _after(earlier: Sequence[str], reason: str) -> dict[str, str]:
    return dict.fromkeys(earlier, reason)


def _item_codes(word: str) -> dict[str, str]:
    """Return what no code of items may follow: another one, and a network that was trained to see the items as they were."""
    return _after(_CODES, _ITEMS_ONCE) | _after(_NETWORK, _ITEMS_FIRST) | {"quantise:fixed-point": _ONE_GRID, word: _SAME}


# later step -> earlier step -> why the later must not follow, at once or with others between
REFUSED: dict[str, Mapping[str, str]] = {
    "distil": _after([word for word in WORDS if word != "distil"], _NEW),
    "factorise:layers": _after(_SPARSE, _FILLED) | _after(_QUANTISED, _OFF) | _after(_LOSSY, _CODED),
    "factorise:items": _after(_SPARSE, _FILLED) | _after(_QUANTISED, _OFF) | _after(_LOSSY, _CODED),
    "prune:structured": {"factorise:layers": _CUT, "prune:2:4": _BLOCKS} | _after(_QUANTISED, _OFF) | _after(_LOSSY, _CODED),
    "prune:weights": _after(_GRIDS, _OFF)
    | {"quantise:pq": _CODED, "quantise:binary-items": _SIGNS, "quantise:binary-network": _SIGNS},
    "prune:rows": _after(_QUANTISED, _OFF) | {"quantise:pq": _CODED, "quantise:binary-items": _SIGNS},
    "prune:2:4": {"factorise:layers": _FEW, "factorise:items": _FEW, "prune:2:4": _TWICE}
    | _after(_GRIDS, _OFF)
    | {"quantise:pq": _CODED, "quantise:binary-items": _SIGNS, "quantise:binary-network": _SIGNS},
    "quantise:fixed-point": _after(_QUANTISED, _ONE_GRID) | {"quantise:fixed-point": _SAME},
    "quantise:int8-items": _item_codes("quantise:int8-items"),
    "quantise:int8-network": {
        "quantise:fixed-point": _ONE_GRID,
        "quantise:int8-network": _SAME,
        "quantise:binary-network": _EIGHT,
    },
    "quantise:int4": _item_codes("quantise:int4"),
    "quantise:pq": _item_codes("quantise:pq") | {"quantise:fixed-point": _ITEMS_FIRST, "prune:rows": _ROWS_BACK},
    "quantise:binary-items": _item_codes("quantise:binary-items")
    | {"quantise:fixed-point": _ITEMS_FIRST, "prune:rows": _ROWS_BACK},
    "quantise:binary-network": _after(("prune:weights", "prune:2:4"), _BACK)
    | {"quantise:fixed-point": _ONE_GRID, "quantise:binary-network": _SAME},
}


def words_of(step: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words that the table has for a step.

    Args:
        step: As `describe_step` has it, or the record of one that was taken: its ``form``, and its ``options`` if there are any.
    """
    form, options = str(step.get("form")), step.get("options") or {}
    if form == "prune:weights" and options.get("unit") == "rows":
        return ("prune:rows",)
    if form == "quantise:int8":
        return tuple(f"{form}-{part}" for part in ("items", "network") if options.get(part) is not False)
    return (form,)


def check_composition(steps: Sequence[Mapping[str, Any]], *, done: int = 0) -> None:
    """Refuse steps that do not compose.

    Args:
        steps: As `words_of` takes them, in order; every step is held against all before it.
        done: How many of them the model has behind it already.

    Raises:
        CompressionError: One must not follow another; the message has the reason.
    """
    words = [words_of(one) for one in steps]
    for place in range(done, len(words)):
        for number, before in enumerate(words[:place]):
            for later, earlier in product(words[place], before):
                if reason := REFUSED.get(later, {}).get(earlier):
                    behind = f"{earlier}, which the model has behind it"
                    first = behind if number < done else f"step {number - done + 1}, {earlier}"
                    raise CompressionError(f"step {place - done + 1}, {later}, cannot come after {first}: {reason}")


def table_of_composition() -> str:
    """Return the table in Markdown: the later step above, the earlier one to the left, numbers for the reasons below."""
    reasons = list(dict.fromkeys(reason for earlier in REFUSED.values() for reason in earlier.values()))
    lines = [
        f"| first \\ then | {' | '.join(f'`{word}`' for word in WORDS)} |",
        f"|---|{'---|' * len(WORDS)}",
    ]
    for earlier, meaning in WORDS.items():
        cells = (REFUSED.get(later, {}).get(earlier) for later in WORDS)
        words = " | ".join("yes" if reason is None else f"({reasons.index(reason) + 1})" for reason in cells)
        lines.append(f"| `{earlier}`: {meaning} | {words} |")
    numbered = [f"{number}. {reason[0].upper()}{reason[1:]}." for number, reason in enumerate(reasons, 1)]
    return "\n".join([*lines, "", "Refused, since:", "", *numbered])


if __name__ == "__main__":
    print(table_of_composition())  # noqa: T201 - the page is made of it
