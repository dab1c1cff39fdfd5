"""The first line of what a library says: its messages run to pages, ours to a sentence."""

from __future__ import annotations

__all__ = ["first_line"]


def first_line(error: BaseException, most: int = 150) -> str:
    """Return the first line of a message that holds anything, cut to so many characters; the error's type where none does."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)[:most]
