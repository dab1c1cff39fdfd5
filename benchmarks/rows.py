"""Result files: rows that are merged as soon as they are measured, and what they were measured on."""

from __future__ import annotations

__all__ = ["merge", "read_rows"]

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from edge_rec_devices.environment import describe
from edge_rec_runtime.atomic import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Row = dict[str, Any]


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a result file, none where there is no file yet."""
    rows: list[Row] = json.loads(path.read_text())["rows"] if path.exists() else []
    return rows


def merge(
    path: Path,
    made: Sequence[Row],
    *,
    key: Callable[[Row], Any],
    order: Callable[[Row], Any],
    command: str,
    packages: Sequence[str],
    versions: Mapping[str, str] | None = None,
) -> None:
    """Put rows into a file, which is replaced as a whole, in the place of those that say the same.

    Args:
        path: The file; its folder is made.
        made: The rows.
        key: What a row is of: all rows of the keys that ``made`` has are replaced.
        order: What rows are sorted by.
        command: The command that measures them.
        packages: Those whose versions belong to the figures.
        versions: The same of packages that are in another environment.
    """
    new = [key(row) for row in made]
    machine = asdict(describe(packages=tuple(packages)))
    machine["packages"] |= versions or {}
    result = {
        "schema": 1,
        "command": command,
        "machine": machine,
        "rows": sorted((*(row for row in read_rows(path) if key(row) not in new), *made), key=order),
    }
    text = (json.dumps(result, indent=1) + "\n").encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda stream: stream.writelines([text]))
