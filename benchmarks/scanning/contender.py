"""Something that searches: what the rounds time and the problem checks."""

from __future__ import annotations

__all__ = ["Answer", "Contender"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import NDArray

# Number of a batch -> rows [batch, k], best first.
Answer: TypeAlias = Callable[[int], NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A search over a table that it holds, ready to be asked.

    Attributes:
        name: What the rows call it.
        answer: The number of a batch of queries -> the best rows of each [batch, k], best first.
        ours: Whether it is this project's.
        remark: What is to be known beside its time.
    """

    name: str
    answer: Answer
    ours: bool = False
    remark: str = ""
