"""Layout ``fp32``: the vectors as they are."""

from __future__ import annotations

__all__ = ["Fp32Table"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from edge_rec_runtime.codes._arithmetic import (
    check_axes,
    check_dims,
    check_parts,
    check_query,
    check_rows,
    check_values,
    one_a_row,
)
from edge_rec_runtime.codes._float_scores import float_scores
from edge_rec_runtime.codes.shadow import Shadow, Shadowed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    import numpy as np
    from numpy.typing import NDArray

    from edge_rec_runtime.kernels import Kernel


@dataclass(frozen=True, eq=False)
class Fp32Table(Shadowed):
    """Vectors [rows, dims] float32 and an optional bias [rows] float32; score = q . v + bias."""

    values: NDArray[np.float32]
    bias: NDArray[np.float32] | None = None
    shadow: Shadow | None = None
    layout: ClassVar[str] = "fp32"

    @classmethod
    def encode(cls, values: NDArray[Any], bias: NDArray[Any] | None = None) -> Self:
        """Check and keep a table [rows, dims].

        Raises:
            ModelError: Not two axes, no rows, or a value that is not finite.
        """
        check_axes(values)
        return cls(
            check_values(values, "the item table"), None if bias is None else one_a_row(bias, len(values), "the item bias")
        )

    @classmethod
    def from_parts(cls, parts: Mapping[str, NDArray[Any]], *, dims: int) -> Self:
        """See `ItemTable.from_parts`."""
        check_parts(cls.layout, parts, {"values": (("float32",), 2), "bias": (("float32",), 1)})
        check_rows(cls.layout, parts)
        check_dims(cls.layout, parts["values"].shape[1], dims)
        return cls(parts["values"], parts.get("bias"))

    @property
    def dims(self) -> int:
        """Width of a vector."""
        return int(self.values.shape[1])

    def decode(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Return the vectors [n, dims] of the rows [n]."""
        vectors: NDArray[np.float32] = self.values[rows]
        return vectors

    def scores(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score [rows] float32 of every item for a query [dims]; the sums are in the kernel's order, or in BLAS's."""
        floats = check_query(query, self.dims)
        scored = float_scores(self.kernel, floats, self.rows)
        if scored is not None:
            return scored
        scores: NDArray[np.float32] = self.values @ floats
        return scores if self.bias is None else scores + self.bias

    def _exact_kernel(self, module: ModuleType, path: str) -> Kernel:
        kernel: Kernel = module.Fp32(self.values, self.bias, path)
        return kernel
