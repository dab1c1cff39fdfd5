"""The step that replaces matrices by products of two narrow ones."""

from __future__ import annotations

__all__ = ["Factorise"]

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from torch import nn

from edge_rec.compress.factorise.matrices import dense_layers, factorised_items, factorised_layers
from edge_rec.compress.options import check_dropout, check_number, check_whole, require_one
from edge_rec.compress.step import Outcome
from edge_rec.compress.tuning import tuned
from edge_rec.models.network import Network
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from edge_rec.compress.step import Given
    from edge_rec.models import Model


@dataclass(frozen=True, kw_only=True)
class Factorise:
    """Truncated SVD of dense layers, or of the item table; then, where epochs are given, training goes on.

    Exactly one of ``layers`` and ``items``, and exactly one of ``rank``, ``share``, ``energy`` and ``bytes`` is given.

    Attributes:
        layers: Pattern (fnmatch) of the module paths of dense layers: ``encoder.*``.
        items: Whether the item table is factorised.
        weighted: For the item table: whether an item counts as often as it was met in the log, and not once.
        rank: The rank of every matrix.
        share: Of the rank that each matrix could have: 0.25 stores an item of 128 values in 32.
        energy: Least share of the sum of squared singular values that is kept, matrix by matrix.
        bytes: Most bytes, in float32, of all factors together; ranks are chosen so that the energy that is lost is least.
        epochs: Of fine-tuning afterwards.
        learning_rate: Of fine-tuning, at its highest.
        distil: Share of the loss, from 0 up to 1, that asks for the outputs of the teacher; the rest asks for the log.
        dropout: Share of the activations that fine-tuning hides; that of the model's own training unless given.
    """

    kind: ClassVar[str] = "factorise"
    layers: str | None = None
    items: bool = False
    weighted: bool = False
    rank: int | None = None
    share: float | None = None
    energy: float | None = None
    bytes: int | None = None
    epochs: int = 0
    learning_rate: float = 5e-4
    distil: float = 0.0
    dropout: float | None = None

    def __post_init__(self) -> None:
        """Refuse options that mean nothing, or too much."""
        for name in ("items", "weighted"):
            if not isinstance(getattr(self, name), bool):
                raise CompressionError(f"factorise: {name}={getattr(self, name)!r}; expected true or false")
        if self.layers is not None and (not isinstance(self.layers, str) or not self.layers):
            raise CompressionError(f"factorise: layers={self.layers!r}; expected a pattern of module paths, like 'encoder.*'")
        require_one("factorise", layers=self.layers, items=self.items)
        size = require_one("factorise", rank=self.rank, share=self.share, energy=self.energy, bytes=self.bytes)
        if size in {"share", "energy"}:
            check_number("factorise", size, getattr(self, size), above=0, below=1)
        else:
            check_whole("factorise", size, getattr(self, size))
        if self.weighted and not self.items:
            raise CompressionError("factorise: weighted=true is for the item table, whose rows are met more or less often")
        check_whole("factorise", "epochs", self.epochs, least=0)
        check_number("factorise", "learning_rate", self.learning_rate, above=0)
        check_number("factorise", "distil", self.distil, least=0)
        if self.distil > 1 or (self.distil and not self.epochs):
            raise CompressionError(f"factorise: distil={self.distil!r}; expected a share from 0 to 1, and epochs to spend it on")
        check_dropout("factorise", self.dropout, epochs=self.epochs)

    @property
    def form(self) -> str:
        """Its word in the table of what composes with what."""
        return "factorise:items" if self.items else "factorise:layers"

    @property
    def needs_data(self) -> bool:
        """Whether it looks at the log."""
        return self.weighted or self.epochs > 0

    def requires(self, model: Model) -> None:
        """Raise CompressionError if the model has no such matrices, or a rank is above theirs."""
        if not isinstance(model, Network):
            raise CompressionError(
                f"factorise: {model.name} is no network with dense layers and an item table; mf, ease and item-item are pruned"
            )
        if self.items and not isinstance(getattr(model, "table", None), nn.Parameter):
            raise CompressionError(f"factorise: the item vectors of {model.title} are computed by a tower; factorise its layers")
        if model.item_decoder is not None:
            raise CompressionError(f"factorise: {model.title} sees its items through a decoder of their codes; factorise first")
        layers = {} if self.layers is None else dense_layers(model, self.layers)
        if self.layers is not None and not layers:
            known = ", ".join(dense_layers(model, "*")) or "none"
            raise CompressionError(f"factorise: no dense layer matches layers={self.layers!r}; the model has {known}")
        shapes = {path: tuple(layer.weight.shape) for path, layer in layers.items()}
        if self.items:
            shapes["the item table"] = tuple(model.item_vectors().shape)
        for path, (rows, columns) in shapes.items():
            if self.rank is not None and self.rank > min(rows, columns):
                raise CompressionError(
                    f"factorise: rank={self.rank} is above what {path} can have; it is {rows} x {columns}, so ask for less than "
                    f"{min(rows, columns)}"
                )

    def outline(self, model: Model, given: Given) -> Model | None:
        """Return the model with factors; None where their ranks depend on the values."""
        if self.energy is not None or (self.bytes is not None and not self.items):
            return None
        return replace(self, weighted=False, epochs=0, distil=0.0, dropout=None).run(model, given).model

    def run(self, model: Model, given: Given) -> Outcome:
        """Return the model with factors in the place of its matrices."""
        self.requires(model)
        if not isinstance(model, Network):
            raise CompressionError(f"factorise: {model.name} is no network")
        if self.items:
            split = given.data("factorise:weighted=true") if self.weighted else None
            met = None if split is None else np.bincount(split.train.items, minlength=len(split.item_ids))
            factors = factorised_items(self, model, met=met)
        else:
            factors = factorised_layers(self, model)
        record: dict[str, Any] = {"ranks": dict(factors.ranks), "energy_kept": dict(factors.energy), "remarks": []}
        if factors.left:
            record["remarks"].append(f"left whole, since factors would be larger: {', '.join(factors.left)}")
        if not self.epochs:
            return Outcome(model=factors.model, record=record)
        done = tuned(
            factors.model,
            given,
            step="factorise",
            teacher=model,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            distil=self.distil,
            dropout=self.dropout,
        )
        remarks = [*record["remarks"], *done.record["remarks"]]
        return Outcome(model=done.model, record={**record, **done.record, "remarks": remarks})

    def ensures(self, before: Model, after: Model) -> None:
        """Raise CompressionError if the new model has not fewer weights."""
        counts = [sum(value.size for value in one.weights().values()) for one in (before, after)]
        if counts[1] >= counts[0]:
            raise CompressionError(f"factorise: the model has {counts[1]} weights now, and had {counts[0]}; it must be fewer")
