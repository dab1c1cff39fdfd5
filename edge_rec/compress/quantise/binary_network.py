"""Dense weights as signs with a scale a row; layers that lose the most by it stay in eight bits."""

from __future__ import annotations

__all__ = ["BinaryNetwork"]

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from edge_rec.compress.options import nearest
from edge_rec.compress.quantise.forms import Tuning, settled
from edge_rec.compress.quantise.grids import Int8Weights, SignWeights
from edge_rec.compress.quantise.weights import LEAST, dense_weights, graph_name, rounded_weights
from edge_rec.compress.step import Outcome
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from edge_rec.compress.step import Given
    from edge_rec.models import Network

_NAME = "quantise:to=binary-network"


@dataclass(frozen=True, kw_only=True)
class BinaryNetwork(Tuning):
    """One bit a weight of the dense layers; all other matrices are put on the int8 grid.

    ``network=binary`` stores such signs as they are; the layers that are kept need ``--layers PATTERN=int8-weights`` there, and
    the record has these words under ``convert_layers``.

    Attributes:
        keep: Patterns (fnmatch) of the names of dense layers that stay in eight bits. The first and the last dense layer of the
            network unless given.
    """

    word: ClassVar[str] = "binary-network"
    form: ClassVar[str] = "quantise:binary-network"
    keep: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        super().__post_init__()
        if isinstance(self.keep, str):
            object.__setattr__(self, "keep", (self.keep,))
        patterns = self.keep is None or isinstance(self.keep, tuple)
        if not patterns or not all(isinstance(one, str) and one for one in self.keep or ()):
            raise CompressionError(f"{_NAME}: keep={self.keep!r}; expected patterns of layers, like ['encoder.blocks.0.*']")

    def requires(self, model: Network) -> None:
        """Raise CompressionError if no dense layer is left to be signs, or a pattern matches none."""
        known, least = dense_weights(model), f"fewer than {LEAST} values, and such stay in fp32"
        if not known:
            raise CompressionError(f"{_NAME}: the dense layers of {model.title} have {least}; there is nothing to make signs of")
        for pattern in self.keep or ():
            if any(_matches(name, pattern) for name in known):
                continue
            if any(_matches(name, pattern) for name in dense_weights(model, least=0)):
                raise CompressionError(f"{_NAME}: the layers that keep={pattern!r} matches have {least}; leave it out")
            layers = [name.removesuffix(".weight") for name in known]
            raise CompressionError(f"{_NAME}: keep={pattern!r} matches no dense layer; {nearest(pattern, layers)}")
        if not self._signed(model):
            raise CompressionError(f"{_NAME}: no dense layer of {model.title} is left to become signs; keep fewer")

    def run(self, model: Network, given: Given) -> Outcome:
        """Return the model with signs for weights."""
        signed = self._signed(model)
        held: dict[str, Any] = {name: Int8Weights() for name in rounded_weights(model)}
        held |= {name: SignWeights() for name in signed}
        found = settled(model, given, self, held, teacher=model)
        kept = [name for name in dense_weights(model) if name not in signed]
        words = [f"{graph_name(model, name)}=int8-weights" for name in kept]
        return Outcome(model=found.model, record={"signs": list(signed), "convert_layers": words, **found.record})

    def ensures(self, before: Network, after: Network) -> None:  # noqa: ARG002 - as the protocol has it
        """Raise CompressionError if a row has more than one magnitude."""
        for name in self._signed(after):
            sizes = np.abs(after.weights()[name])
            if not np.array_equal(sizes, np.broadcast_to(sizes[:, :1], sizes.shape)):
                raise CompressionError(f"{_NAME}: a row of {name} has several magnitudes; report this model")

    def _signed(self, model: Network) -> tuple[str, ...]:
        known = tuple(name for name in dense_weights(model) if name.startswith("encoder."))  # a decoder stays in eight bits
        patterns = (known[:1] + known[-1:]) if self.keep is None else self.keep
        return tuple(name for name in known if not any(_matches(name, pattern) for pattern in patterns))


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name.removesuffix(".weight"), pattern)
