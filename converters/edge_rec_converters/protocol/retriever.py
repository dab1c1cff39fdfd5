"""A retriever: an encoder and an item table.

The encoder is fed item *vectors*, not ids: a tied item table is then stored once, in the bundle, in any precision, and the
device gathers its rows.
"""

from __future__ import annotations

__all__ = ["Retriever", "RetrieverSource"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from edge_rec_runtime import Catalogue, ItemTable
    from edge_rec_runtime.features import Feature


@runtime_checkable
class RetrieverSource(Protocol):
    """A model that scores items by the inner product of a query vector and the item table."""

    @property
    def kind(self) -> Literal["retriever"]:
        """What sort of recommender it is: ``"retriever"``."""

    @property
    def name(self) -> str:
        """Short name, for file names and reports."""

    @property
    def encoder(self) -> torch.nn.Module | Path:
        """A module, or the path of an ``.onnx`` file with the inputs and the output named here.

        ``forward(vectors [batch, length, dims] float32, mask [batch, length] float32) -> query [batch, dims] float32``.
        Histories are oldest first from position 0; ``mask`` is 1 on events and 0 on the padding after them; batch and length
        are dynamic. A module is run in eval mode. One more input a feature of `context` follows, named as it.
        """

    @property
    def context(self) -> tuple[Feature, ...]:
        """What else the encoder is fed besides the history, of the request: the user's age group, the hour."""

    @property
    def item_table(self) -> NDArray[np.float32]:
        """[items, dims] float32, rows in the order of the catalogue."""

    @property
    def item_bias(self) -> NDArray[np.float32] | None:
        """[items] float32 added to the scores, or None."""

    @property
    def tables(self) -> Mapping[str, ItemTable]:
        """Finished item codes by layout, taken as they are by a precision that asks for it; other layouts are encoded.

        One of them is what the model was trained with, and then `item_table` and `item_bias` are what it decodes to.
        """

    @property
    def catalogue(self) -> Catalogue:
        """The ids of the rows, and what is known of the items."""

    @property
    def max_length(self) -> int:
        """Longest history, in events, that the encoder takes; older events fall out of the window."""

    @property
    def float_weights(self) -> tuple[str, ...]:
        """Patterns (fnmatch) of weight names that stay fp32 in every precision."""


@dataclass(frozen=True, kw_only=True)
class Retriever:
    """The protocol as a record, for whoever has the parts at hand; see `RetrieverSource` for what they mean."""

    encoder: torch.nn.Module | Path
    item_table: NDArray[np.float32]
    catalogue: Catalogue
    max_length: int
    name: str = "model"
    item_bias: NDArray[np.float32] | None = None
    tables: Mapping[str, ItemTable] = field(default_factory=dict)
    context: tuple[Feature, ...] = ()
    float_weights: tuple[str, ...] = ()
    kind: Literal["retriever"] = "retriever"
