"""What all layouts share: their arrays are the fields of a dataclass."""

from __future__ import annotations

__all__ = ["Arrays", "RowArrays"]

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from numpy.typing import NDArray
else:
    DataclassInstance = object


class Arrays(DataclassInstance):
    """Arrays by the names of their fields, in that order; a field that is None is an array that the table does not have."""

    def parts(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, as a bundle stores them."""
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in held.items() if isinstance(value, np.ndarray)}

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(part.nbytes for part in self.parts().values())


class RowArrays(Arrays):
    """Arrays that have a row an item, the first of them always.

    Attributes:
        shared: Names of those that have not.
    """

    shared: ClassVar[frozenset[str]] = frozenset()

    @property
    def rows(self) -> int:
        """Number of items."""
        return len(getattr(self, fields(self)[0].name))

    def take(self, rows: NDArray[np.integer[Any]]) -> Self:
        """Return a table of the same layout with copies of the given rows only."""
        return replace(self, **{name: part[rows] for name, part in self.parts().items() if name not in self.shared})
