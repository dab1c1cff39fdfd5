"""What is known of the users: attributes by user id."""

from __future__ import annotations

__all__ = ["Users"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Users:
    """What a user file says; a user whom it does not know has no attributes.

    Attributes:
        attributes: For each attribute (``"gender"``, ``"age"``, ``"occupation"``) its value by user id, where there is one.
    """

    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
