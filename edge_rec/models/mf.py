"""Matrix factorisation of implicit feedback: a user and an item meet as the inner product of two vectors.

Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008), with the regularisation that
Rendle, Krichene, Zhang and Koren found to matter, "Revisiting the Performance of iALS on Item Recommendation Benchmarks"
(RecSys 2022). With item vectors v, the user who met the items i of a history of n events is the minimum over u of

    sum_i (1 - u.v_i)^2  +  a sum_j (u.v_j)^2  +  r (n + a items) |u|^2

where j is any item, a is `unobserved` and r `regularisation`. That is a linear system: fitting it for somebody whom training
never saw needs no training. `FoldIn` does that on the device. An item that was met twice counts twice, in training as in
the fold-in.
"""

from __future__ import annotations

__all__ = ["FoldIn", "MFOptions", "MatrixFactorisation"]

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from edge_rec_converters.protocol import Retriever
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec_runtime import Catalogue

_DONE = 1e-12  # of the first squared error: what float32 makes of the rest is noise, and a step along it must not be long
_TINY = 1e-30  # keeps 0 / 0 at 0 where there is no event


@dataclass(frozen=True, kw_only=True)
class MFOptions:
    """The objective, and how a history is folded in.

    Attributes:
        dims: Width of the vectors.
        unobserved: Weight of an item that the user has not met, beside 1 for one that was.
        regularisation: Pull towards 0 for each event (and each unobserved item's weight).
        max_length: Events that the fold-in looks back; training sees all of them. What comes next is told best by the last few.
        steps: Of conjugate gradients in the fold-in; 6 reach float32's own error for 6 events, 12 for 2,000.
    """

    dims: int = 64
    unobserved: float = 0.3
    regularisation: float = 0.005
    max_length: int = 6
    steps: int = 6

    def __post_init__(self) -> None:
        """Refuse what has no solution."""
        for name in ("dims", "max_length", "steps"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= 1 << 16:
                raise ModelError(f"MF: {name}={value!r} is not a whole number from 1 to 65536")
        for name in ("unobserved", "regularisation"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 < value < math.inf:
                raise ModelError(f"MF: {name}={value!r} is not a number above 0")


class FoldIn(nn.Module):
    """The vector of a user, from the vectors of the items met: conjugate gradients on the user's linear system.

    What all systems share, the first and last term without events, is inverted once and guides every step; its product with
    the direction then follows from the steps before, so that this one symmetric matrix is all that is stored. Only products
    with vectors are computed: neither memory nor the graph grows with dims squared an event.
    """

    inverse: Tensor

    def __init__(self, items: NDArray[np.float32], options: MFOptions) -> None:
        super().__init__()
        self.options = options
        table = items.astype(np.float64)
        gram = table.T @ table + options.regularisation * len(table) * np.eye(table.shape[1])
        inverse = np.linalg.inv(options.unobserved * gram)
        self.register_buffer("inverse", torch.from_numpy((inverse + inverse.T).astype(np.float32) / 2))

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the user [batch, dims]; 0 for a history without events.

        Args:
            vectors: [batch, length, dims] item vectors, in any order, anything finite where the mask is 0.
            mask: [batch, length] 1 on events, else 0.
        """
        events = vectors * mask[:, :, None]
        transposed = events.transpose(1, 2)
        pull = self.options.regularisation * mask.sum(dim=1, keepdim=True)[:, :, None]
        residual = events.sum(dim=1, keepdim=True)  # this and all below: [batch, 1, dims]
        user = residual * 0.0
        direction = guided = residual @ self.inverse
        shared = residual  # the direction times what all systems share
        size = (residual * guided).sum(dim=2, keepdim=True)
        floor = (_DONE * size).clamp(min=_TINY)  # exporters drop the addition of what is this small
        for _ in range(self.options.steps):
            image = shared + pull * direction + (direction @ transposed) @ events
            length = size / ((direction * image).sum(dim=2, keepdim=True) + floor)
            user = user + length * direction
            residual = residual - length * image
            guided = residual @ self.inverse
            before, size = size, (residual * guided).sum(dim=2, keepdim=True)
            turn = size / (before + floor)
            direction = guided + turn * direction
            shared = residual + turn * shared
        return user.squeeze(1)


class MatrixFactorisation:
    """Item vectors, and those of the users that training saw.

    Attributes:
        options: The objective.
        catalogue: The ids of the items.
        item_vectors: [items, dims] float32.
        user_vectors: [users, dims] float32, in the order of the split; a fold-in of the training history gives the same.
    """

    name: ClassVar[str] = "mf"

    def __init__(
        self, options: MFOptions, catalogue: Catalogue, item_vectors: NDArray[np.float32], user_vectors: NDArray[np.float32]
    ) -> None:
        self.options = options
        self.catalogue = catalogue
        self.item_vectors = item_vectors
        self.user_vectors = user_vectors

    def source(self) -> Retriever:
        """Return the model as the converters take it."""
        return Retriever(
            encoder=FoldIn(self.item_vectors, self.options).eval(),
            item_table=self.item_vectors,
            catalogue=self.catalogue,
            max_length=self.options.max_length,
            name=self.name,
            float_weights=("*",),
        )

    def describe(self) -> dict[str, object]:
        """Return the options, fit for JSON."""
        return asdict(self.options)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Return the vectors by name."""
        return {"items": self.item_vectors, "users": self.user_vectors}

    @classmethod
    def restore(cls, described: Mapping[str, object], weights: Mapping[str, NDArray[np.float32]], catalogue: Catalogue) -> Self:
        """Build a model from what `describe` and `weights` gave.

        Raises:
            ModelError: An unknown option, or vectors that are missing, not finite, or of another shape or type.
        """
        known = set(MFOptions.__dataclass_fields__)
        if unknown := sorted(set(described) - known):
            raise ModelError(f"MF has no option {unknown[0]!r}; its options are {', '.join(sorted(known))}")
        options = MFOptions(**described)  # type: ignore[arg-type]  # __post_init__ checks every value
        if set(weights) != {"items", "users"}:
            raise ModelError(f"MF: found the weights {', '.join(sorted(weights)) or 'none'}, expected items, users; train again")
        for name, rows in (("items", len(catalogue)), ("users", weights["users"].size // options.dims)):
            value = weights[name]
            if value.dtype != np.float32 or value.shape != (rows, options.dims):
                raise ModelError(
                    f"MF: {name} are {value.dtype} {list(value.shape)}, expected float32 {[rows, options.dims]}; "
                    "config.json, catalogue and weights must come from one run"
                )
            if not np.isfinite(value).all():
                raise ModelError(f"MF: {name} hold values that are not finite; train again with more regularisation")
        return cls(options, catalogue, np.array(weights["items"]), np.array(weights["users"]))
