"""What retriever graphs shall reach, and where a row falls short of it."""

from __future__ import annotations

__all__ = ["GOALS", "Goal", "reached"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A figure of a row and the least, or most, that it shall be.

    Attributes:
        case: The row.
        figure: Key of the row.
        words: What is asked, for people.
        bound: The most; of ``recall_at_100`` the least.
    """

    case: str
    figure: str
    words: str
    bound: float

    @property
    def least(self) -> bool:
        """Whether the bound is the least, and not the most."""
        return self.figure == "recall_at_100"


_BOUNDS = {"onnx": 0.25, "tflite": 0.15}
GOALS: tuple[Goal, ...] = tuple(
    goal
    for data in ("", "-gaussian")
    for target, bound in _BOUNDS.items()
    for goal in (
        Goal(
            case=f"python-{target}-int8-100k{data}",
            figure="latency_ratio",
            words="time, of ONNX Runtime's fp32 graph",
            bound=bound,
        ),
        Goal(case=f"python-{target}-int8-100k{data}", figure="recall_at_100", words="share of the exact 100 items", bound=0.98),
    )
)


def reached(goal: Goal, row: Mapping[str, Any]) -> bool:
    """Return whether a row has what was asked for."""
    found = row[goal.figure]
    return bool(found >= goal.bound if goal.least else found <= goal.bound)
