"""What somebody may have meant by a word that is not known."""

from __future__ import annotations

__all__ = ["nearest"]

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], *, count: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return at most so many known words that resemble one, the most alike first; ``cutoff`` is of difflib's ratio."""
    import difflib  # noqa: PLC0415 - most processes never see a wrong word

    return difflib.get_close_matches(word, list(known), n=count, cutoff=cutoff)
