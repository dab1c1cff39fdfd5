"""A table in the README that is written from rows: found again by its first line."""

from __future__ import annotations

__all__ = ["with_table"]


def with_table(readme: str, table: str) -> str:
    """Return a README with a table in the place of the one that begins with the same line.

    Raises:
        ValueError: It has no such table.
    """
    head = table.split("\n", 1)[0]
    before, found, rest = readme.partition(head)
    if not found:
        raise ValueError(f"the README has no table that begins with {head!r}; put that line where the table shall stand")
    _, _, after = rest.partition("\n\n")
    return f"{before}{table}\n\n{after}"
