"""What an encoder remembers from event to event, so that a new one does not cost the whole history again.

A recurrent network remembers one vector a layer, which every event replaces. A causal transformer remembers keys and values of
every event, to which each new one adds its own.
"""

from __future__ import annotations

__all__ = ["Memory", "StatePart"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class StatePart:
    """One array of a state, float32.

    Attributes:
        name: The input of the step graph that takes it; the output that gives what is new of it is called ``new.<name>``.
        width: Its last axis.
        per_event: Whether each event adds a row to [1, events, width], or replaces all of [1, width].
    """

    name: str
    width: int
    per_event: bool

    @property
    def output(self) -> str:
        """The output of the step graph that gives what is new."""
        return f"new.{self.name}"


class Memory:
    """The state after some events; belongs to one session and is changed by it.

    Attributes:
        events: How many events it has seen.
    """

    def __init__(self, parts: Sequence[StatePart], max_length: int) -> None:
        self.events = 0
        self._parts = tuple(parts)
        self._past = np.zeros((1, max_length), dtype=np.float32)
        self._arrays = {
            part.name: np.zeros((1, max_length, part.width) if part.per_event else (1, part.width), dtype=np.float32)
            for part in parts
        }

    def inputs(self, length: int) -> dict[str, NDArray[np.float32]]:
        """Return the state as a step graph takes it, without copying.

        Args:
            length: Rows of what has a row an event, at least `events`; zeros follow the events.
        """
        growing = any(part.per_event for part in self._parts)
        marks = {"past": self._past[:, :length]} if growing else {}
        return marks | {
            part.name: self._arrays[part.name][:, :length] if part.per_event else self._arrays[part.name] for part in self._parts
        }

    def remember(self, new: Mapping[str, NDArray[np.float32]], events: int) -> None:
        """Take in what a step graph gave for so many events, by the names of the parts."""
        first, last = self.events, self.events + events
        for part in self._parts:
            kept = self._arrays[part.name]
            if part.per_event:
                kept[:, first:last] = new[part.name]
            else:
                kept[:] = new[part.name]
        self._past[:, first:last] = 1
        self.events = last
