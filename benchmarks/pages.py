"""Pages of ``docs/`` whose figures a benchmark writes: what stands around them is written by hand and stays."""

from __future__ import annotations

__all__ = ["with_figures"]

_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"


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
