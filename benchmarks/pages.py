"""Pages of ``docs/`` whose figures a benchmark writes: what stands around them is written by hand and stays."""

from __future__ import annotations

__all__ = ["show_rows", "with_figures"]

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"


def show_rows(
    result: Path, *, picture: Path | None, draw: Callable[[Any], str], page: Path | None, figures: Callable[[Any], str]
) -> None:
    """Draw the rows of a result file, and write their figures into a page, each where it is asked for."""
    found = json.loads(result.read_text())
    if picture:
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_text(draw(found["rows"]))
    if page:
        page.write_text(with_figures(page.read_text(), figures(found)))


def with_figures(page: str, figures: str) -> str:
    """Return a page with new figures.

    Raises:
        ValueError: It has no place for them.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"the page has no lines {_BEGIN!r} and {_END!r}; put them where the figures shall stand")
    return f"{before}{_BEGIN}\n{figures}\n{_END}{after}"
