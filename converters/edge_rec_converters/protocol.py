"""The door: what a model must show to be converted, whoever wrote it.

The zoo, a stranger's ``nn.Module`` and an ``.onnx`` file all come in as a `RetrieverSource`. The encoder is fed item
*vectors*, not ids: a tied item table is then stored once, in the bundle, in any precision, and the device gathers its rows.
"""

from __future__ import annotations

__all__ = ["Retriever", "RetrieverSource"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import torch
    from edge_rec_runtime import Catalogue
    from numpy.typing import NDArray


@runtime_checkable
class RetrieverSource(Protocol):
    """A model that scores items by the inner product of a query vector and the item table.

    Attributes:
        kind: ``"retriever"``.
        name: Short name, for file names and reports.
        encoder: A module in eval mode, ``forward(vectors [batch, length, dims] float32, mask [batch, length] float32) ->
            query [batch, dims] float32``, or the path of an ``.onnx`` file with those inputs and that output. Histories are
            oldest first from position 0; ``mask`` is 1 on events and 0 on the padding after them; batch and length are dynamic.
        item_table: [items, dims] float32, rows in the order of the catalogue.
        item_bias: [items] float32 added to the scores, or None.
        catalogue: The ids of the rows, and what is known of the items.
        max_length: Longest history, in events, that the encoder takes; older events fall out of the window.
        float_weights: Patterns (fnmatch) of weight names that stay fp32 in every precision.
    """

    kind: Literal["retriever"]
    name: str
    encoder: torch.nn.Module | Path
    item_table: NDArray[np.float32]
    item_bias: NDArray[np.float32] | None
    catalogue: Catalogue
    max_length: int
    float_weights: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Retriever:
    """The protocol as a record, for whoever has the parts at hand; see `RetrieverSource` for what they mean."""

    encoder: torch.nn.Module | Path
    item_table: NDArray[np.float32]
    catalogue: Catalogue
    max_length: int
    name: str = "model"
    item_bias: NDArray[np.float32] | None = None
    float_weights: tuple[str, ...] = ()
    kind: Literal["retriever"] = "retriever"
