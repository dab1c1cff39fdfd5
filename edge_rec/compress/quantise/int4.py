"""Items on the int4 grid of their rows: codes from -7 to 7, and a scale a row that is searched, then learnt."""

from __future__ import annotations

__all__ = ["Int4"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edge_rec.compress.quantise.finished import finish_items, int4_of, require_finished
from edge_rec.compress.quantise.forms import Tuning, require_free_items, require_table, settled
from edge_rec.compress.quantise.grids import Int4Items

if TYPE_CHECKING:
    from edge_rec.compress.step import Given, Outcome
    from edge_rec.models import Network


@dataclass(frozen=True, kw_only=True)
class Int4(Tuning):
    """Finished item codes of half a byte a value, which ``items=int4`` stores as they are."""

    word: ClassVar[str] = "int4"
    form: ClassVar[str] = "quantise:int4"

    def requires(self, model: Network) -> None:
        """Raise CompressionError if the items have codes, or cannot have any."""
        require_free_items("int4", model)
        require_table("int4", model)

    def run(self, model: Network, given: Given) -> Outcome:
        """Return the model with finished codes."""
        held = {"table": Int4Items(model.weights()["table"])}
        found = settled(model, given, self, held, teacher=model)
        return finish_items(found, int4_of(found.model.weights()["table"]))

    def ensures(self, before: Network, after: Network) -> None:  # noqa: ARG002 - as the protocol has it
        """Raise CompressionError if the item vectors are not those of the codes."""
        require_finished(after, "int4")
