"""What all layouts share: their arrays are the fields of a dataclass."""

from __future__ import annotations

__all__ = ["Arrays", "RowArrays"]

from dataclasses import fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from edge_rec_runtime import kernels

if TYPE_CHECKING:
    from types import ModuleType

    from _typeshed import DataclassInstance
    from numpy.typing import NDArray

    from edge_rec_runtime.kernels import Kernel
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

    @cached_property
    def kernel(self) -> Kernel | None:
        """The table made ready for the kernels in C; None where numpy searches it."""
        module = kernels.native()
        if module is None:
            return None
        try:
            return self._make_kernel(module, kernels.active().path)
        except (TypeError, ValueError, OverflowError):  # arrays that the kernels refuse: the reference says what is wrong
            return None

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of; it makes a kernel of its own when it is asked for one."""
        return {name: value for name, value in vars(self).items() if name != "kernel"}

    def _make_kernel(self, module: ModuleType, path: str) -> Kernel | None:
        """Return the kernel of this layout, if it has one."""
        del module, path
        return None


class RowArrays(Arrays):
    """Arrays that have a row an item, the first of them always.

    Attributes:
        shared: Names of those that have not.
    """

    shared: ClassVar[frozenset[str]] = frozenset()

    @cached_property  # asked for in every search
    def rows(self) -> int:
        """Number of items."""
        return len(getattr(self, fields(self)[0].name))

    def take(self, rows: NDArray[np.integer[Any]]) -> Self:
        """Return a table of the same layout with copies of the given rows only."""
        return replace(self, **{name: part[rows] for name, part in self.parts().items() if name not in self.shared})

    def _gathered(self, rows: NDArray[np.integer[Any]], dims: int) -> NDArray[np.float32] | None:
        """Return the vectors [n, dims] of rows [n], decoded by the kernel; None if there is none that takes these rows."""
        gather = getattr(self.kernel, "gather", None)
        if gather is None:
            return None
        vectors = np.empty((len(rows), dims), np.float32)
        try:
            gather(rows, vectors)
        except (IndexError, TypeError, ValueError):
            return None
        return vectors
