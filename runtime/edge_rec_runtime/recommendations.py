"""What a request gives back."""

from __future__ import annotations

__all__ = ["Recommendation", "Recommendations"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload


class Recommendation(NamedTuple):
    """An item and its score."""

    id: str
    score: float


@dataclass(frozen=True)
class Recommendations(Sequence[Recommendation]):
    """Items and scores, best first; equal scores stand in the order of the catalogue, of a ranker in that of the candidates.

    Attributes:
        items: The items; fewer than were asked for where no more are left.
        ignored: Ids of the request that the catalogue does not have, then words of the context that no feature has, as
            ``name=word``.
        fallback: Whether popularity answered, because nothing of the history is known.
    """

    items: tuple[Recommendation, ...]
    ignored: tuple[str, ...] = ()
    fallback: bool = False

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> Recommendation: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Recommendation, ...]: ...
    def __getitem__(self, index: int | slice) -> Recommendation | tuple[Recommendation, ...]:
        """Return an item, or several."""
        return self.items[index]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids alone."""
        return tuple(one.id for one in self.items)
