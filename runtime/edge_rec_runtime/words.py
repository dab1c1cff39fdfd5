"""Texts that a file keeps one a line, ids or the words of a vocabulary, and their places, which all who hold them share."""

from __future__ import annotations

__all__ = ["Words", "refuse_breaks"]

from functools import cached_property
from typing import TYPE_CHECKING

from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Words(tuple[str, ...]):
    """A tuple of texts without line breaks that knows where each stands.

    A ranker's features often have the ids of all items as their words. Millions are checked and indexed once, not once a feature.
    """

    @classmethod
    def of(cls, lines: Iterable[str], what: str) -> Words:
        """Return lines as words, checked unless they are some already; see `refuse_breaks`."""
        if isinstance(lines, Words):
            return lines
        words = cls(lines)
        refuse_breaks(what, words)
        return words

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of each, counted from 0, of equal ones the last."""
        return {word: place for place, word in enumerate(self)}


def refuse_breaks(what: str, lines: Sequence[str]) -> None:
    """Refuse lines that a text file of one a line would not give back.

    Args:
        what: What a line is, as it should read before its number: ``"id of item"``.
        lines: The lines.

    Raises:
        DataError: One is no text, holds a line break, or cannot be written as UTF-8.
    """
    try:  # all at once: a catalogue of millions is checked whenever it is opened
        whole = "\n".join(lines)
        whole.encode()
        if whole.count("\n") == len(lines) - 1 and "\r" not in whole and "\0" not in whole:
            return
    except (TypeError, UnicodeEncodeError):
        pass  # the line at fault is named below
    for row, line in enumerate(lines):
        if not isinstance(line, str):
            raise DataError(f"the {what} {row} is {line!r}; expected text")
        if "\n" in line or "\r" in line or "\0" in line:
            raise DataError(f"the {what} {row}, {line!r}, holds a line break; take it out")
        try:
            line.encode()
        except UnicodeEncodeError:
            raise DataError(f"the {what} {row}, {line!r}, cannot be written as UTF-8; decode the source rightly") from None
