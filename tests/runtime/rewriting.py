"""Bundles written again after a change, for tests of what was made to deceive."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from edge_rec_runtime.bundle._archive import Member, write_archive

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def rewrite(path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """Write a bundle's members again after a change, laid out as the runtime lays them out."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    stream = io.BytesIO()
    write_archive(
        stream,
        [Member(name=name, pieces=[raw], deflate=name.endswith((".json", ".txt"))) for name, raw in members.items()],
    )
    path.write_bytes(stream.getvalue())
    return path


def repack(path: Path, change: Callable[[dict[str, bytes]], object], *, compression: int = zipfile.ZIP_STORED) -> Path:
    """Write a bundle's members again with Python's zipfile after a change."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def with_manifest(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Rewrite a bundle with a changed manifest."""

    def edit(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        change(manifest)
        members["manifest.json"] = json.dumps(manifest).encode()

    return rewrite(path, edit)
