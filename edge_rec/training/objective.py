"""What a network learns from: parts of the log, and the queries that it makes of them."""

from __future__ import annotations

__all__ = ["Criterion", "N", "NextItem", "Objective", "P", "Part"]

import math
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from edge_rec.models.network import Network
from edge_rec.training.windows import Window, batches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from edge_rec.data import Split


class Part(Protocol):
    """A few queries that are computed together."""

    @property
    def targets(self) -> Tensor:
        """[queries] int64, the item row that each of them should find."""


N = TypeVar("N", bound=Network)
P = TypeVar("P", bound=Part)
_Model = TypeVar("_Model", bound=Network, contravariant=True)  # noqa: PLC0105 - a protocol's own
_Part = TypeVar("_Part", bound=Part)
_Loss = TypeVar("_Loss", bound=Part, contravariant=True)  # noqa: PLC0105 - a protocol's own


class Objective(Protocol[_Model, _Part]):
    """What one epoch of training looks at."""

    @property
    def steps(self) -> int:
        """Steps an epoch; 0 where there is nothing to learn from."""

    def batches(self, rng: np.random.Generator) -> Iterator[Sequence[_Part]]:
        """Yield the parts of each step of an epoch."""

    def shared(self, model: _Model) -> tuple[Tensor, ...]:
        """Return what all parts of a step look at, with gradients; first the item table [items, dims]."""

    def states(self, model: _Model, part: _Part, shared: tuple[Tensor, ...], *, drop: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the queries [queries, dims] of a part.

        Args:
            model: The network.
            part: Of `batches`.
            shared: Of `shared`.
            drop: What training does to activations.
        """


class Criterion(Protocol[_Loss]):
    """How far the queries of a step are from what they should be."""

    def negatives(self, targets: Sequence[Tensor], rng: np.random.Generator) -> tuple[Tensor, Tensor] | None:
        """Draw what the targets [queries] of all parts of a step are held against, where it is not the whole catalogue."""

    def of(self, states: Tensor, table: Tensor, part: _Loss, negatives: tuple[Tensor, Tensor] | None) -> Tensor:
        """Return the summed loss of the queries [queries, dims] of a part.

        Args:
            states: Of `Objective.states`.
            table: [items, dims].
            part: Of `Objective.batches`.
            negatives: Of `negatives`.
        """

    def whole_step(self, table: Tensor, rng: np.random.Generator) -> Tensor | None:
        """Return what a step's loss has besides its queries', as a mean over them, if there is such a thing."""


class NextItem:
    """Foretell each event of a history from those before it."""

    def __init__(
        self,
        split: Split,
        *,
        max_length: int,
        users: int,
        context: Sequence[NDArray[np.int32]] = (),
        fed: Tensor | None = None,
    ) -> None:
        """Look at ``split.train``.

        Args:
            split: The log.
            max_length: Events in a window.
            users: Histories in a step.
            context: For each context feature of the network its values, one row a user.
            fed: [items, dims] what the encoder is fed with; what the network itself feeds it with unless given.
        """
        self._fed = fed
        self._train = split.train
        self._max_length = max_length
        self._users = users
        self._context = tuple(torch.from_numpy(np.ascontiguousarray(values)) for values in context)

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        return math.ceil(int((np.diff(self._train.offsets) >= 2).sum()) / self._users)

    def batches(self, rng: np.random.Generator) -> Iterator[list[Window]]:
        """Yield every user once, in random order."""
        return batches(self._train, max_length=self._max_length, users=self._users, rng=rng)

    def shared(self, model: Network) -> tuple[Tensor, ...]:
        """Return the item vectors that are scored and, where they are others, those that the encoder is fed with."""
        if self._fed is not None:
            return model.item_vectors(), self._fed
        return (model.item_vectors(),) if model.item_decoder is None else (model.item_vectors(), model.fed_vectors())

    def states(self, model: Network, part: Window, shared: tuple[Tensor, ...], *, drop: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the query after every event."""
        context = (values[part.users] for values in self._context)
        return model.states(functional.embedding(part.rows, shared[-1]), *context, drop=drop)[part.events]
