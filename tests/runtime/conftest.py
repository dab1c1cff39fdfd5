"""What several tests of bundles do with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_rec_runtime import Bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def use() -> Callable[[Path], None]:
    """Return a function that reads all that a device reads from a bundle."""

    def read_all(path: Path) -> None:
        """Read all that a device reads from a bundle."""
        with Bundle.open(path) as bundle:
            for role in bundle.manifest.layouts:
                if role in {"items", "rescore"}:
                    bundle.table(role)
            if bundle.manifest.kind == "neighbours":
                bundle.neighbours()
            assert len(bundle.features) == len(bundle.manifest.features)
            assert set(bundle.item_values()) == {one.name for one in bundle.features if one.of == "item"}
            assert len(bundle.catalogue) == bundle.manifest.catalogue.items
            for member in bundle.manifest.encoder_members.values():
                bundle.read(member)

    return read_all
