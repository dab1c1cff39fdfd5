"""What every item table can do, whatever its bytes look like."""

from __future__ import annotations

__all__ = ["ItemTable"]

from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from edge_rec_runtime.kernels import Kernel


class ItemTable(Protocol):
    """A catalogue as [rows, dims] vectors in some layout, scored by inner product with a query.

    Attributes:
        layout: Key of the layout in `LAYOUTS`.
    """

    layout: ClassVar[str]

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]], *, dims: int) -> Self:
        """Rebuild a table of vectors of width ``dims`` from the arrays that `parts` gave; mapped arrays are kept as they are.

        Raises:
            BundleError: An array is missing, too many, or of a wrong shape or dtype.
        """

    @property
    def rows(self) -> int:
        """Number of items."""

    @property
    def dims(self) -> int:
        """Width of a decoded vector and of a query."""

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""

    @property
    def kernel(self) -> Kernel | None:
        """The table made ready for the kernels in C, made when first asked for; None where numpy searches it."""

    def parts(self) -> dict[str, NDArray[Any]]:
        """Return the arrays by name, as a bundle stores them."""

    def decode(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Return the vectors [n, dims] float32 of the rows [n]."""

    def scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score [rows] float32 of every item for a query [dims].

        Raises:
            RequestError: The query has another width, or is not finite.
        """

    def take(self, rows: NDArray[np.integer[Any]]) -> Self:
        """Return a table of the same layout with copies of the given rows only."""
