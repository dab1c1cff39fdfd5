"""How a manifest says that an encoder can go on from what it remembers."""

from __future__ import annotations

__all__ = ["Steps", "StepsMember", "parse_steps"]

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edge_rec_runtime.bundle import _fields as fields
from edge_rec_runtime.errors import BundleError
from edge_rec_runtime.state import StatePart

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDEST = 1 << 16
_MOST_VALUES = 1 << 28  # of a full state, 1 GiB of float32: what a device would be asked to hold


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What goes into a bundle.

    Attributes:
        state: What is remembered.
        graphs: The step graph for each target; None where it stands in the encoder's own file.
    """

    state: tuple[StatePart, ...]
    graphs: Mapping[str, bytes | None]


@dataclass(frozen=True, kw_only=True)
class StepsMember:
    """What a manifest says of it.

    Attributes:
        state: What is remembered.
        members: The member for each target; the encoder's own where both stand in one file.
    """

    state: tuple[StatePart, ...]
    members: Mapping[str, str]

    def record(self) -> dict[str, Any]:
        """Return it fit for JSON."""
        return {"state": [asdict(part) for part in self.state], "graphs": dict(self.members)}


def parse_steps(record: Mapping[str, Any], *, targets: tuple[str, ...], max_length: int) -> StepsMember:
    """Read it from hostile JSON.

    Raises:
        BundleError: A value is not what it must be, or a state would take more memory than any encoder's does.
    """
    state = tuple(
        StatePart(
            name=fields.text(entry, "name"),
            width=fields.number(entry, "width", least=1, most=_WIDEST),
            per_event=fields.truth(entry, "per_event"),
        )
        for entry in fields.mappings(record, "state")
    )
    graphs = fields.mapping(record, "graphs")
    found = StepsMember(state=state, members={target: fields.text(graphs, target) for target in graphs})
    names = {part.name for part in state}
    values = sum(part.width * (max_length if part.per_event else 1) for part in state)
    if not state or len(names) != len(state) or names & {"vectors", "past"} or set(graphs) - set(targets) or not graphs:
        raise BundleError(
            f"manifest.json: steps has the state {', '.join(part.name for part in state)[:100] or 'of nothing'} and graphs for "
            f"{', '.join(graphs)[:100] or 'no target'}; expected parts of different names and targets that have an encoder, "
            "the file is damaged"
        )
    if values > _MOST_VALUES:
        raise BundleError(
            f"manifest.json: steps would remember {values} values; at most {_MOST_VALUES} are taken, the file is damaged"
        )
    return found
