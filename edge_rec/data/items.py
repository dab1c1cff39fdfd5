"""What is known of the items: titles and attributes by item id."""

from __future__ import annotations

__all__ = ["Items"]

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Items:
    """What an item file says; an item that it does not know has its id for a title and no attributes.

    Attributes:
        titles: Title by item id.
        attributes: For each attribute (``"genres"``, ``"year"``) its values by item id.
    """

    titles: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
