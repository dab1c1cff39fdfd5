"""Where results go, looked at before hours of work are spent on them."""

from __future__ import annotations

__all__ = ["require_writable"]

import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def require_writable(folder: Path) -> None:
    """Check that a folder can be written, or made, without making it.

    Raises:
        OSError: It cannot.
    """
    known = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not known.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(known))
    if not os.access(known, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, "no permission to write", str(known))
