"""A text file is written whole or not at all."""

from __future__ import annotations

__all__ = ["write_whole"]

from typing import TYPE_CHECKING

from edge_rec_runtime.atomic import replace_file

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a text as UTF-8, making the folder where it is missing; a reader sees the old file or the new one.

    Raises:
        OSError: The folder cannot be written; nothing is left of the attempt.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode()
    replace_file(path, lambda stream: stream.writelines([content]))
