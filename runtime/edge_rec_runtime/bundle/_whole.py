"""What no single value of a manifest shows: that its parts fit together and are those of its kind."""

from __future__ import annotations

__all__ = ["check_whole"]

from typing import TYPE_CHECKING

from edge_rec_runtime.bundle.kinds import INDEX_DTYPES, KINDS, SHADOW_ROLE
from edge_rec_runtime.codes import LAYOUTS, Shadowed
from edge_rec_runtime.errors import BundleError

if TYPE_CHECKING:
    from edge_rec_runtime.bundle.manifest import Manifest


def check_whole(manifest: Manifest) -> None:
    """Check that the parts of a manifest fit together and are those of its kind.

    Raises:
        BundleError: They are not.
    """
    _check_graphs(manifest)
    if len({entry.name for entry in manifest.tables}) != len(manifest.tables):
        raise BundleError("manifest.json names one table array twice; the file is damaged")
    for entry in manifest.tables:
        if entry.name != f"{entry.role}.{entry.part}" or entry.layout != manifest.layouts[entry.role]:
            raise BundleError(
                f"manifest.json: the table array {entry.name!r} does not fit its role {entry.role!r} and layout {entry.layout!r}"
            )
    if SHADOW_ROLE in manifest.layouts and not issubclass(LAYOUTS[manifest.layouts.get("items", "binary")], Shadowed):
        raise BundleError(
            f"manifest.json names a shadow of {manifest.layouts.get('items', 'no')} items, which have none; the file is damaged"
        )
    kind = KINDS[manifest.kind]
    if kind.needed is not None and kind.needed not in manifest.layouts:
        raise BundleError(f"manifest.json names no table of the role {kind.needed!r}; the file is damaged")
    if odd := set(manifest.packed) - {*manifest.graph_members, *(entry.member for entry in manifest.tables)}:
        raise BundleError(
            f"manifest.json says that zeros were left out of {', '.join(sorted(odd))[:200]}; "
            "they are of graphs and tables only, the file is damaged"
        )
    _check_features(manifest)


def _check_graphs(manifest: Manifest) -> None:
    """Check that each graph is one that the kind has, and that none stands twice."""
    if len(manifest.encoder_members) != len(manifest.encoders):
        raise BundleError("manifest.json names two encoders for one target; the file is damaged")
    if manifest.encoders and KINDS[manifest.kind].graph is None:
        raise BundleError(
            f"manifest.json names a graph, and a bundle of the kind {manifest.kind!r} has none; the file is damaged"
        )
    if manifest.steps is not None and (manifest.kind != "retriever" or manifest.features):
        raise BundleError(
            f"manifest.json names steps for a {manifest.kind} with {len(manifest.features)} features; "
            "only encoders that take a history alone go on from what they remember, the file is damaged"
        )
    if manifest.retriever is not None and manifest.kind != "retriever":
        raise BundleError(
            f"manifest.json names a retriever graph, and a bundle of the kind {manifest.kind!r} has none; the file is damaged"
        )


def _check_features(manifest: Manifest) -> None:
    """Check that a ranker has features, that each stands once, and that words and lengths are of its kind."""
    if manifest.kind == "ranker" and not manifest.features:
        raise BundleError("manifest.json names no feature of the ranker; the file is damaged")
    if len({entry.name for entry in manifest.features}) != len(manifest.features):
        raise BundleError("manifest.json names one feature twice; the file is damaged")
    for entry in manifest.features:
        if (entry.vocabulary is None) != (entry.kind == "number") or (entry.longest > 1 and entry.kind != "categories"):
            raise BundleError(
                f"manifest.json: the feature {entry.name!r} has words or a length that its kind {entry.kind!r} has not"
            )
    if manifest.kind == "ranker":
        _check_item_values(manifest)


def _check_item_values(manifest: Manifest) -> None:
    """Check that each feature of items has an array of its kind, with a row an item."""
    of_items = {entry.name: entry for entry in manifest.features if entry.of == "item"}
    found = {entry.part: entry for entry in manifest.tables}
    if set(of_items) != set(found):
        raise BundleError(
            f"manifest.json has values of items for {', '.join(found) or 'no feature'}; "
            f"the ranker needs {', '.join(of_items) or 'none'}, the file is damaged"
        )
    for name, array in found.items():
        feature, axes = of_items[name], 2 if of_items[name].kind == "categories" else 1
        dtypes = ("float32",) if feature.kind == "number" else INDEX_DTYPES
        if array.dtype not in dtypes or len(array.shape) != axes or array.shape[0] != manifest.catalogue.items:
            raise BundleError(
                f"manifest.json: the values of {name!r} are {array.dtype} {list(array.shape)}; "
                f"expected {' or '.join(dtypes)} for {manifest.catalogue.items} items and the kind {feature.kind!r}; "
                "the file is damaged"
            )
        if array.shape[-1] > feature.longest and axes == 2:
            raise BundleError(
                f"manifest.json: the values of {name!r} have {array.shape[1]} words an item; at most {feature.longest}"
            )
