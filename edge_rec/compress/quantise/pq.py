"""Items as one byte a piece: codebooks by k-means, then by gradient, and the encoder trained to see them."""

from __future__ import annotations

__all__ = ["ProductQuantisation"]

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch

from edge_rec.compress.options import check_whole
from edge_rec.compress.quantise.finished import finish_items, require_finished
from edge_rec.compress.quantise.fitting import fit_to_queries
from edge_rec.compress.quantise.forms import FittedTuning, require_free_items, require_table, settled
from edge_rec.compress.quantise.products import ProductItems, ProductScorer, product_codes, start_of_products
from edge_rec.compress.quantise.states import sampled_states
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from edge_rec.compress.step import Given, Outcome
    from edge_rec.models import Network
    from edge_rec_runtime import PqTable

_QUERIES = 250_000  # that codes are fitted to
_NAME = "quantise:to=pq"


@dataclass(frozen=True, kw_only=True)
class ProductQuantisation(FittedTuning):
    """Codes that are first fitted to the frozen encoder's queries, and then, with ``epochs``, trained together with it.

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

    def run(self, model: Network, given: Given) -> Outcome:
        """Return the model with product codes for items."""
        start, losses = self._fitted(model, given)
        changed = model.with_structure(
            replace(model.structure, pruned=tuple(name for name in model.structure.pruned if name != "table")),
            {**model.weights(), "table": start.decode(np.arange(start.rows))},
        )
        found = settled(changed, given, self, {"table": ProductItems(start)}, teacher=model)
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
        split = given.data(f"{_NAME} with fit above 0")
        queries, targets = sampled_states(model, split, most=_QUERIES, seed=given.seed, progress=given.progress)
        if model.structure.item_rank is not None:
            queries = queries @ model.item_basis.detach().T  # as the device scans them
        start = start_of_products(values, queries.numpy(), pieces)
        scorer = ProductScorer(start)
        losses = fit_to_queries(
            scorer,
            queries,
            targets,
            torch.from_numpy(values),
            steps=self.fit,
            learning_rate=self.fit_rate,
            soft=self.fit_soft,
            seed=given.seed,
            progress=given.progress,
        )
        return product_codes(scorer.vectors().detach().numpy(), len(start.codebooks)), losses
