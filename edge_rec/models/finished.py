"""Finished item codes in a run directory: ``tables.safetensors``, the arrays of each layout under ``layout.array``."""

from __future__ import annotations

__all__ = ["TABLES", "read_tables", "write_tables"]

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from edge_rec_runtime.atomic import replace_file
from edge_rec_runtime.codes import LAYOUTS
from edge_rec_runtime.errors import BundleError, ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_runtime import ItemTable

TABLES = "tables.safetensors"


def write_tables(folder: Path, tables: Mapping[str, ItemTable]) -> None:
    """Write the item codes of a model, or see to it that the folder has none.

    Args:
        folder: Exists.
        tables: By layout; their order is kept.
    """
    path = folder / TABLES
    if not tables:
        path.unlink(missing_ok=True)
        return
    arrays = {f"{layout}.{name}": part for layout, table in tables.items() for name, part in table.parts().items()}
    order = json.dumps([[layout, table.dims] for layout, table in tables.items()])
    content = save({name: np.ascontiguousarray(part) for name, part in arrays.items()}, metadata={"tables": order})
    replace_file(path, lambda stream: stream.writelines([content]))


def read_tables(folder: Path) -> dict[str, ItemTable]:
    """Read the item codes of a model; none where the folder has none.

    Raises:
        ModelError: The file is damaged, or its arrays are not those of the layouts it names.
    """
    path = folder / TABLES
    if not path.exists():
        return {}
    try:
        with safe_open(path, framework="numpy") as stored:
            order = json.loads((stored.metadata() or {})["tables"])
            arrays: dict[str, NDArray[Any]] = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        tables = {layout: LAYOUTS[layout].from_parts(_of(layout, arrays), dims=_whole(dims)) for layout, dims in order}
    except (SafetensorError, OSError, TypeError, KeyError, ValueError, AttributeError, RecursionError, BundleError) as error:
        raise ModelError(f"{path}: not the item codes of a model ({error}); copy it again, or compress again") from error
    if unknown := sorted(name for name in arrays if name.partition(".")[0] not in tables):
        raise ModelError(f"{path}: holds {unknown[0]!r}, which belongs to no table; copy it again, or compress again")
    return tables


def _of(layout: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name.partition(".")[2]: part for name, part in arrays.items() if name.partition(".")[0] == layout}


def _whole(value: object) -> int:
    if type(value) is not int or not 1 <= value <= 1 << 16:
        raise ValueError(f"{value!r} is no width of a vector")
    return value
