"""How a manifest says that a bundle also holds a retriever whole, as one graph for apps that have no runtime of ours."""

from __future__ import annotations

__all__ = ["RetrieverGraphs", "RetrieverMember", "parse_retriever"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_rec_runtime.bundle import _fields as fields
from edge_rec_runtime.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class RetrieverGraphs:
    """What goes into a bundle.

    Attributes:
        k: Items that an answer holds; fewer are its first ones.
        graphs: The graph for each target, from rows of a history to rows of items and their scores.
    """

    k: int
    graphs: Mapping[str, bytes]

    def named(self) -> RetrieverMember:
        """Return what the manifest says of it."""
        return RetrieverMember(k=self.k, members={target: f"retriever.{target}" for target in sorted(self.graphs)})


@dataclass(frozen=True, kw_only=True)
class RetrieverMember:
    """What a manifest says of it.

    Attributes:
        k: Items that an answer holds.
        members: The member for each target.
    """

    k: int
    members: Mapping[str, str]

    def record(self) -> dict[str, Any]:
        """Return it fit for JSON."""
        return {"k": self.k, "graphs": dict(self.members)}


def parse_retriever(record: Mapping[str, Any], *, targets: tuple[str, ...], items: int) -> RetrieverMember:
    """Read it from hostile JSON.

    Args:
        record: What the manifest says.
        targets: Those that the bundle has an encoder for.
        items: How many there are, and so the largest k.

    Raises:
        BundleError: A value is not what it must be.
    """
    k = fields.number(record, "k", least=1, most=items)
    graphs = fields.mapping(record, "graphs")
    if not graphs or set(graphs) - set(targets):
        raise BundleError(
            f"manifest.json: retriever has graphs for {', '.join(graphs)[:100] or 'no target'}; expected some of the targets "
            f"that have an encoder ({', '.join(targets) or 'none'}), the file is damaged"
        )
    return RetrieverMember(k=k, members={target: fields.text(graphs, target) for target in graphs})
