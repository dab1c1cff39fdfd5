"""The kinds of models that a bundle can hold, and what each has."""

from __future__ import annotations

__all__ = ["FEATURE_LAYOUT", "INDEX_DTYPES", "KINDS", "SHADOW_ROLE", "Kind"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_rec_runtime.codes import LAYOUTS, SPARSE_LAYOUTS, Shadow

if TYPE_CHECKING:
    from collections.abc import Mapping

SHADOW_ROLE = "shadow"  # what the table of items is searched through
FEATURE_LAYOUT = "features"  # one array a feature of items, as `Feature.encode` gives it
INDEX_DTYPES = ("uint8", "uint16", "int32")  # what the indexes among them may be stored in; a graph takes int32


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a bundle of a kind has.

    Attributes:
        graph: What its graphs are called, for their members and for messages; None where it has none.
        roles: The layouts that the table of each role may have.
        needed: The role that must be there, or None.
        window: Whether a request has a history, of which the newest ``max_length`` events count.
        vectors: Whether tables hold vectors, all of the width ``dims``.
        features: What the features that its graph takes may be of, or empty where it takes none.
    """

    graph: str | None
    roles: Mapping[str, tuple[str, ...]]
    needed: str | None
    window: bool
    vectors: bool
    features: tuple[str, ...]


KINDS: dict[str, Kind] = {
    "retriever": Kind(
        graph="encoder",
        roles={"items": tuple(LAYOUTS), "rescore": tuple(LAYOUTS), SHADOW_ROLE: (Shadow.layout,)},
        needed="items",
        window=True,
        vectors=True,
        features=("context",),
    ),
    "neighbours": Kind(
        graph=None,
        roles={"neighbours": tuple(SPARSE_LAYOUTS)},
        needed="neighbours",
        window=True,
        vectors=False,
        features=(),
    ),
    "ranker": Kind(
        graph="ranker",
        roles={"item-features": (FEATURE_LAYOUT,)},
        needed=None,
        window=False,
        vectors=False,
        features=("item", "context"),
    ),
}
