"""Replacing a file as a whole: whoever reads its name gets the old content or the new, never half of it."""

from __future__ import annotations

__all__ = ["replace_file"]

import contextlib
import os
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def replace_file(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file under a temporary name in its folder, sync it, and rename it into place.

    Whatever goes wrong, a full disk or an interrupt, the temporary file is removed and what was there before stays.

    Raises:
        OSError: The folder is missing or full, or may not be written; it names the file, not the temporary one.
    """
    partial = path.with_name(f".{path.name[:40]}.{os.urandom(4).hex()}.part")
    try:
        with partial.open("xb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise
    with contextlib.suppress(OSError):  # not every file system syncs folders
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
