"""The bundle, one file that is all a device needs: written atomically, mapped on reading. See docs/bundle-format.md."""

from __future__ import annotations

__all__ = [
    "KINDS",
    "SCHEMA_VERSION",
    "Bundle",
    "BundleContents",
    "CatalogueMembers",
    "EncoderMember",
    "FeatureMember",
    "Kind",
    "Manifest",
    "RetrieverGraphs",
    "RetrieverMember",
    "Steps",
    "StepsMember",
    "TableMember",
    "write_bundle",
]

import importlib
from typing import TYPE_CHECKING

from edge_rec_runtime.bundle._read import Bundle
from edge_rec_runtime.bundle._versions import SCHEMA_VERSION
from edge_rec_runtime.bundle.kinds import KINDS, Kind
from edge_rec_runtime.bundle.manifest import CatalogueMembers, EncoderMember, FeatureMember, Manifest, TableMember
from edge_rec_runtime.bundle.retriever_graphs import RetrieverGraphs, RetrieverMember
from edge_rec_runtime.bundle.steps import Steps, StepsMember

if TYPE_CHECKING:
    from edge_rec_runtime.bundle._write import BundleContents, write_bundle


def __getattr__(name: str) -> object:
    """Import what writes bundles when it is first asked for: a device only reads them."""
    if name not in {"BundleContents", "write_bundle"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module("edge_rec_runtime.bundle._write"), name)
    globals()[name] = value
    return value
