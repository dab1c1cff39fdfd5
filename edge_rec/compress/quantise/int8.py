"""Items and weights on the int8 grid of their rows: one scale a row, codes from -127 to 127."""

from __future__ import annotations

__all__ = ["Int8"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from edge_rec.compress.quantise.finished import finish_items, require_finished
from edge_rec.compress.quantise.forms import Tuning, require_free_items, require_table, settled
from edge_rec.compress.quantise.grids import Int8Items, Int8Weights
from edge_rec.compress.quantise.weights import rounded_weights
from edge_rec.compress.step import Outcome
from edge_rec_converters.row_codes import quantise_rows
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from edge_rec.compress.step import Given
    from edge_rec.models import Network


@dataclass(frozen=True, kw_only=True)
class Int8(Tuning):
    """Items, weights of the network, or both; what is rounded here is stored so by ``items=int8`` and ``network=int8``.

    Attributes:
        items: Whether the items get finished codes.
        network: Whether the weights of the network are rounded: those with two axes or more that the converters round.
    """

    word: ClassVar[str] = "int8"
    form: ClassVar[str] = "quantise:int8"
    items: bool = True
    network: bool = True

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        super().__post_init__()
        for name in ("items", "network"):
            if not isinstance(getattr(self, name), bool):
                raise CompressionError(f"quantise:to=int8: {name}={getattr(self, name)!r}; expected true or false")
        if not self.items and not self.network:
            raise CompressionError("quantise:to=int8: items and network are both false; at least one of them is needed")

    def requires(self, model: Network) -> None:
        """Raise CompressionError if there is nothing to round."""
        if self.items:
            require_free_items("int8", model)
            require_table("int8", model)
        if self.network and not rounded_weights(model):
            raise CompressionError(f"quantise:to=int8: {model.title} has no weights to round; say network=false")

    def run(self, model: Network, given: Given) -> Outcome:
        """Return the model on the grid."""
        held: dict[str, Any] = {name: Int8Weights() for name in rounded_weights(model)} if self.network else {}
        if self.items:
            held["table"] = Int8Items()
        found = settled(model, given, self, held, teacher=model)
        if not self.items:
            return Outcome(model=found.model, record=found.record)
        return finish_items(found, Int8Items.table(found.model.table))

    def ensures(self, before: Network, after: Network) -> None:  # noqa: ARG002 - as the protocol has it
        """Raise CompressionError if rounding again would change a value."""
        if self.items:
            require_finished(after, "int8")
        if self.network:
            for name, values in after.weights().items():
                if name in rounded_weights(after):
                    rows = values.reshape(-1, values.shape[-1])
                    codes, scales = quantise_rows(rows)
                    if not np.array_equal(codes * scales[:, None], rows):
                        raise CompressionError(f"quantise:to=int8: {name} left the int8 grid; report this model")
