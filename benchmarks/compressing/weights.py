"""What the parts of a bundle weigh."""

from __future__ import annotations

__all__ = ["Weight", "weigh"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_rec_runtime import Bundle

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Weight:
    """Bytes as they are stored.

    Attributes:
        model: Graph and tables.
        network: The graph.
        items: What is scanned, a row an item: codes and scales of each.
        shared: What all items of the scanned table share: code books, centres.
        rescore: The table by which candidates are scored again.
        each: ``items`` for one item.
    """

    model: int
    network: int
    items: int
    shared: int
    rescore: int
    each: float


def weigh(path: Path) -> Weight:
    """Return the bytes of a retriever's bundle, those of arrays without the headers of their members."""
    with Bundle.open(path) as bundle:
        manifest, sizes = bundle.manifest, bundle.members
        count, parts = manifest.catalogue.items, dict.fromkeys(("items", "shared", "rescore"), 0)
        for entry in manifest.tables:
            scanned = "items" if entry.shape[:1] == (count,) else "shared"
            lean = entry.member in manifest.packed
            parts[scanned if entry.role == "items" else "rescore"] += (
                sizes[entry.member] if lean else bundle.array(entry.member).nbytes
            )
        return Weight(
            model=manifest.model_bytes,
            network=sum(sizes[one.member] for one in manifest.encoders),
            each=parts["items"] / count,
            **parts,
        )
