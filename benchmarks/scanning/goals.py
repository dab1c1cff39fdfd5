"""What the search shall reach, and where a row falls short of it."""

from __future__ import annotations

__all__ = ["GOALS", "Goal", "reached"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIZES = ("100k", "1m", "4m")
_DATA = ("", "-trained")


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A figure of a row and the least, or most, that it shall be.

    Attributes:
        case: The row.
        words: What is asked, for people.
        bound: The least; of ``ours_ms`` the most.
        beside: The peer whose time over ours it is; the fastest exact one unless given.
        limit: Whether it is the share of a plain read's rate instead, of the scan that reads everything.
        call: Whether it is the time of a call, in milliseconds, instead.
    """

    case: str
    words: str
    bound: float
    beside: str = ""
    limit: bool = False
    call: bool = False

    def found(self, row: Mapping[str, Any]) -> float | None:
        """Return the figure of a row; None where it was not measured."""
        contenders = {one["name"]: one for one in row["contenders"]}
        found: float | None = contenders.get(self.beside, {}).get("ratio") if self.beside else row["ratio"]
        if self.call:
            found = row["ours_ms"]
        elif self.limit:
            found = contenders.get("full scan", {}).get("of_limit")
        return found


_FLAT, _BINARY = "faiss IndexFlatIP", "faiss IndexBinaryFlat"
GOALS: tuple[Goal, ...] = (
    *(Goal(case=f"int8-10k{data}", words="beside the fastest exact peer", bound=1.8) for data in _DATA),
    *(Goal(case=f"int8-100k{data}", words="beside the fastest exact peer", bound=1.8) for data in _DATA),
    *(Goal(case=f"int8-1m{data}", words="beside the fastest exact peer", bound=3.3) for data in _DATA),
    *(Goal(case=f"int8-1m{data}", words="full scan, of a plain read's rate", bound=0.9, limit=True) for data in _DATA),
    *(Goal(case=f"fp32-{size}{data}", words=f"beside {_FLAT}", bound=6, beside=_FLAT) for size in _SIZES for data in _DATA),
    *(
        Goal(case=f"hamming-{size}{data}", words=f"beside {_BINARY}", bound=7, beside=_BINARY)
        for size in ("100k", "1m")
        for data in _DATA
    ),
    *(Goal(case=f"hamming-4m{data}", words="of a plain read's rate", bound=0.9, limit=True) for data in _DATA),
    *(
        Goal(case=f"bits-{size}{data}", words="beside the fastest peer of a bit a value", bound=1.5)
        for size in _SIZES
        for data in _DATA
    ),
    Goal(
        case="int8-1m-b32",
        words="beside ONNX Runtime, 32 queries at once",
        bound=2.4,
        beside="onnxruntime MatMulInteger, TopK",
    ),
    Goal(case="int8-16", words="milliseconds of a call, from Python", bound=0.003, call=True),
)


def reached(goal: Goal, row: Mapping[str, Any]) -> bool:
    """Return whether a row has what was asked for."""
    found = goal.found(row)
    return found is not None and (found <= goal.bound if goal.call else found >= goal.bound)
