"""How much of a bundle is ever inflated: in proportion to its items, which the stored tables prove to be there."""

from __future__ import annotations

__all__ = ["MANIFEST_LIMIT", "text_limit"]

MANIFEST_LIMIT = 4 * 2**20  # bytes


def text_limit(items: int) -> int:
    """Return how many bytes of ids, of titles or of attributes a catalogue of so many items may have."""
    return 2**16 + 2**12 * items
