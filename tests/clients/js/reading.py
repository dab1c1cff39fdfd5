"""What Python reads of a bundle, in the words of ``describe_bundles.mjs``."""

from __future__ import annotations

__all__ = ["DESCRIBE", "damaged", "describe", "private_arrays"]

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edge_rec_runtime import Bundle

if TYPE_CHECKING:
    from collections.abc import Iterable

DESCRIBE = Path(__file__).parent / "describe_bundles.mjs"


def describe(path: Path, *, verify: Literal["structure", "full"] = "structure") -> dict[str, Any]:
    """Return what a bundle holds for an app.

    Raises:
        BundleError: It is damaged.
    """
    with Bundle.open(path, verify=verify) as bundle:
        manifest, catalogue = bundle.manifest, bundle.catalogue
        whole = manifest.retriever
        graphs = manifest.encoder_members if manifest.kind == "ranker" else {} if whole is None else whole.members
        features = bundle.features
        bundle.item_values()
        return {
            "kind": manifest.kind,
            "max_length": manifest.max_length,
            "k": 0 if whole is None else whole.k,
            "ids": _lines(catalogue.ids),
            "titles": None if catalogue.titles is None else _lines(catalogue.titles),
            "attributes": None
            if catalogue.attributes is None
            else {name: [list(one) for one in values] for name, values in catalogue.attributes.items()},
            "popularity": None if catalogue.popularity is None else catalogue.popularity.tolist(),
            "features": [[one.name, one.kind, one.of, one.longest, _lines(one.vocabulary)] for one in features],
            "graphs": {target: hashlib.sha256(bundle.read(graphs[target])).hexdigest() for target in sorted(graphs)},
        }


def damaged(content: bytes, request: dict[str, Any]) -> bytes:
    """Return a file after the damage that a request describes."""
    found = bytearray(content[: request.get("cut", len(content))])
    if "flip" in request:
        found[request["flip"]["at"]] ^= request["flip"]["mask"]
    if "write" in request:
        place, junk = (
            request["write"]["at"],
            bytes.fromhex(request["write"]["hex"])[: max(0, len(found) - request["write"]["at"])],
        )
        found[place : place + len(junk)] = junk
    return bytes(found)


def private_arrays(path: Path) -> set[int]:
    """Return the places of arrays whose checksum only the client compares, because it copies what Python maps."""
    with Bundle.open(path) as bundle:
        members = [bundle.manifest.catalogue.popularity]
        members += [entry.member for entry in bundle.manifest.tables if entry.role == "item-features"]
        entries = [bundle._entries[member] for member in members if member is not None]
        return {place for entry in entries for place in range(entry.start, entry.end)}


def _lines(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
