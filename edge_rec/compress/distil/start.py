"""What a student is given of its teachers before it learns: their item vectors, narrowed, and weights that fit.

The rows of the teachers' item tables, side by side, are projected onto the directions that tell most of them, so that the
student begins with their geometry. Where a single teacher is as wide as the student, nothing is projected, and every weight of
the same name and shape is taken as well; of a stack of layers that is deeper than the student's, evenly spaced ones.
"""

from __future__ import annotations

__all__ = ["Started", "started"]

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_rec.models import Network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge_rec.models import Model

    _Weights = dict[str, NDArray[np.float32]]

_NUMBERED = re.compile(r"^(.*?\.)(\d+)(\..*)$")  # encoder.blocks.0.query.weight


@dataclass(frozen=True, kw_only=True)
class Started:
    """A student, and the names of the weights that it has of its teachers."""

    model: Network
    taken: tuple[str, ...]


def started(student: Network, teachers: Sequence[Model]) -> Started:
    """Return the student with what it can take of its teachers; it may be nothing.

    Args:
        student: As drawn, without a structure; left as it was.
        teachers: Of the same items, in the same order.
    """
    own = student.weights()
    known = [_vectors(one) for one in teachers]
    found: _Weights = {}
    tables = [one for one in known if one is not None]
    single = teachers[0] if len(teachers) == 1 else None
    dims = student.options.dims
    alike = single is not None and single.name == student.name
    if alike and single is not None and bool(tables) and tables[0].shape[1] == dims:
        found = _fitting(own, single.weights())
        found |= {"table": tables[0].copy()} if "table" in own else {}  # of a teacher with codes, what they stand for
    elif "table" in own and len(tables) == len(teachers):
        joined = np.concatenate(tables, axis=1, dtype=np.float64) / len(tables) ** 0.5
        basis = _directions(joined, dims)
        width = tables[0].shape[1]
        # queries are normalised, so that their length grows with the root of their width: logits are to keep their size
        scaled = joined @ basis.T * (width / dims) ** 0.5
        found["table"] = own["table"].copy()
        found["table"][:, : len(basis)] = scaled.astype(np.float32)
        if alike and single is not None:
            found |= _projected(own, single.weights(), basis)
    return Started(model=student.with_weights(found) if found else student, taken=tuple(sorted(found)))


def _vectors(model: Model) -> NDArray[np.float32] | None:
    """Return the item vectors [items, dims] that a model's queries are held against, where it has some."""
    if isinstance(model, Network):
        vectors: NDArray[np.float32] = model.item_vectors().detach().numpy()
        return vectors
    source = model.source()
    return np.asarray(source.item_table, np.float32) if source.kind == "retriever" else None


def _directions(table: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return [directions, dims], at most so many: orthonormal rows, those that tell most of the table first."""
    _, vectors = np.linalg.eigh(table.T @ table)
    return np.ascontiguousarray(vectors.T[::-1][:most])


def _projected(own: Mapping[str, NDArray[np.float32]], theirs: _Weights, basis: NDArray[np.float64]) -> _Weights:
    """Return rows that are added to item vectors, such as positions, in the student's directions."""
    found: _Weights = {}
    name = "encoder.positions"
    if name in own and name in theirs and len(basis) == own[name].shape[1]:
        rows = min(len(own[name]), len(theirs[name]))
        found[name] = own[name].copy()
        found[name][:rows] = (theirs[name][:rows].astype(np.float64) @ basis.T).astype(np.float32)
    return found


def _fitting(own: Mapping[str, NDArray[np.float32]], theirs: _Weights) -> _Weights:
    """Return the teacher's weights of the same name and shape; layer i of n is layer i N // n of a teacher's N."""
    layers, deeper = _depths(own), _depths(theirs)
    found: _Weights = {}
    for name, value in own.items():
        source = name
        if (match := _NUMBERED.match(name)) and (stack := match[1]) in deeper:
            source = f"{stack}{int(match[2]) * deeper[stack] // layers[stack]}{match[3]}"
        if source in theirs and theirs[source].shape == value.shape:
            found[name] = theirs[source].copy()
    return found


def _depths(weights: Mapping[str, NDArray[np.float32]]) -> dict[str, int]:
    """Return the number of layers of each stack, by the path of the stack."""
    found: dict[str, int] = {}
    for name in weights:
        if match := _NUMBERED.match(name):
            found[match[1]] = max(found.get(match[1], 0), int(match[2]) + 1)
    return found
