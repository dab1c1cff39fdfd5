"""Items as one byte a piece: codes by k-means, then by gradient; then their codebooks and the encoder, trained together."""

from __future__ import annotations

__all__ = ["ProductQuantisation"]

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from edge_rec.compress.options import check_whole
from edge_rec.compress.quantise.finished import finish_items, require_finished
from edge_rec.compress.quantise.forms import FittedTuning, require_free_items, require_table, settled
from edge_rec.compress.quantise.products import ProductBooks, ProductScorer, product_codes, start_of_products
from edge_rec_runtime import PqTable
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from edge_rec.compress.step import Given, Outcome
    from edge_rec.models import Network

_NAME = "quantise:to=pq"


@dataclass(frozen=True, kw_only=True)
class ProductQuantisation(FittedTuning):
    """Codes fitted to the frozen encoder's queries; then, with ``epochs``, codebooks trained together with the encoder.

    Attributes:
        pieces: Bytes an item, or fewer where pieces so wide need no more; one for every 16 values unless given.
    """

    word: ClassVar[str] = "pq"
    form: ClassVar[str] = "quantise:pq"
    pieces: int | None = None

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        super().__post_init__()
        if self.pieces is not None:
            check_whole(_NAME, "pieces", self.pieces)

    def requires(self, model: Network) -> None:
        """Raise CompressionError if the items have codes, or cannot have any."""
        require_free_items(self.word, model)
        require_table(self.word, model)
        width = int(model.table.shape[1])
        if self.pieces is not None and self.pieces > width:
            raise CompressionError(f"{_NAME}: pieces={self.pieces}; the item vectors of {model.title} have {width} values")

    def outline(self, model: Network) -> Network:
        """Return the model with codes of a single piece, the same for all items."""
        rows, dims = model.table.shape
        codes = PqTable.pack(np.zeros((rows, 1), np.uint8), np.zeros((1, 1, dims), np.float32), dims=dims)
        return model.with_weights({"table": codes.decode(np.arange(rows))}).with_tables({codes.layout: codes})

    def run(self, model: Network, given: Given) -> Outcome:
        """Return the model with product codes for items."""
        start, losses = self._fitted(model, given)
        changed = model.with_structure(
            replace(model.structure, pruned=tuple(name for name in model.structure.pruned if name != "table")),
            {**model.weights(), "table": start.decode(np.arange(start.rows))},
        )
        found = settled(changed, given, self, {"table": ProductBooks(start)}, teacher=model, frozen=("table",))
        record = {"fit_losses": losses, **found.record}
        codes = product_codes(found.model.weights()["table"], len(start.codebooks))
        return finish_items(replace(found, record=record), codes)

    def ensures(self, before: Network, after: Network) -> None:  # noqa: ARG002 - as the protocol has it
        """Raise CompressionError if the item vectors are not those of the codes."""
        require_finished(after, "pq")

    def _fitted(self, model: Network, given: Given) -> tuple[PqTable, list[float]]:
        values = model.weights()["table"]
        pieces = self.pieces or -(-values.shape[1] // 16)
        if not self.fit:
            return start_of_products(values, None, pieces), []
        queries = self.queries(model, given, narrow=model.structure.item_rank is not None)
        start = start_of_products(values, queries.numpy(), pieces)
        scorer = ProductScorer(start)
        losses = self.fitted(scorer, queries, values, given)
        return product_codes(scorer.vectors().detach().numpy(), len(start.codebooks)), losses
