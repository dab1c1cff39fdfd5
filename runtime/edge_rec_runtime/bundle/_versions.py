"""Schema versions: what each has that the one before has not.

A bundle gets the oldest version that has all it uses, so that devices with an older runtime take what they can read, and refuse
the rest by its number.

Version 1: the format. Version 2: members without their zeros, the layout ``pq``, and binary codes without scales, bias or
projection. Version 3: graphs that go on from what an encoder remembers, and shadows of item tables. Version 4: retrievers as one
graph.
"""

from __future__ import annotations

__all__ = ["RETRIEVER_SINCE", "SCHEMA_VERSION", "STEPS_SINCE", "least_version"]

from typing import TYPE_CHECKING

from edge_rec_runtime.codes import Shadow

if TYPE_CHECKING:
    from edge_rec_runtime.bundle.manifest import Manifest

SCHEMA_VERSION = 4  # the newest that is read and written

STEPS_SINCE = 3  # the version that brought steps
RETRIEVER_SINCE = 4  # the version that brought retrievers as one graph
_SHADOW_SINCE = 3

_BINARY = {"bits", "scales", "bias", "projection"}  # what binary codes have in version 1


def least_version(manifest: Manifest) -> int:
    """Return the oldest schema version that has all that a bundle uses."""
    if manifest.retriever is not None:
        return RETRIEVER_SINCE
    if manifest.steps is not None:
        return STEPS_SINCE
    if Shadow.layout in manifest.layouts.values():
        return _SHADOW_SINCE
    parts = {role: {entry.part for entry in manifest.tables if entry.role == role} for role in manifest.layouts}
    newer = any(
        layout == "pq" or (layout == "binary" and not parts[role] >= _BINARY) for role, layout in manifest.layouts.items()
    )
    return 2 if newer or manifest.packed else 1
