"""Store constants in half precision and cast them back to float before their use.

Half the bytes at the cost of rounding in the eleventh bit, and no operator that an engine might lack: the arithmetic stays fp32.
"""

from __future__ import annotations

__all__ = ["Fp16Constants"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import floats
from edge_rec_converters.edit import add_constant
from edge_rec_converters.passes._contract import Chosen, everything
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, kw_only=True)
class Fp16Constants:
    """Rewrite fp32 constants to fp16 constants with a Cast to float32 behind them.

    A constant with a number beyond 65504 stays fp32.

    Attributes:
        chosen: Tells by a constant's name whether it is rewritten.
        min_elements: Smaller constants stay fp32: the Cast would cost more than they save.
    """

    chosen: Chosen = everything
    min_elements: int = 128

    def requires(self, model: ir.Model) -> None:
        """No constant that is to be rounded is NaN; infinity, as in masks, has a form in half precision."""
        for value, held in self._constants(model):
            if np.isnan(held).any():
                raise ConversionError(
                    f"weight '{value.name}' holds NaN, and fp16 needs numbers; convert a checkpoint from before training diverged"
                )

    def run(self, model: ir.Model) -> ir.Model:
        """Return the graph with its constants in half precision."""
        if not any(self._constants(model)):
            return model
        after = model.clone()
        for value, held in list(self._constants(after)):
            name = str(value.name)
            stored = add_constant(after.graph, held.astype(np.float16), f"{name}.half")
            cast = ir.node("Cast", [stored], attributes={"to": ir.DataType.FLOAT})
            cast.outputs[0].type, cast.outputs[0].shape = value.type, value.shape
            value.replace_all_uses_with(cast.outputs[0])
            after.graph.insert_before(after.graph[0], cast)
            del after.graph.initializers[name]
        return after

    def ensures(self, before: ir.Model, after: ir.Model) -> None:
        """What is left in fp32 has numbers that fp16 lacks."""
        if left := [str(value.name) for value, _ in self._constants(after)]:
            raise ConversionError(
                f"constants {', '.join(left)} stayed fp32 of {len(before.graph.initializers)}; report this model"
            )

    def _constants(self, model: ir.Model) -> Iterator[tuple[ir.Value, NDArray[np.float32]]]:
        for value in model.graph.initializers.values():
            held = floats(value)
            if held is None or held.size < self.min_elements or value.is_graph_output():
                continue
            if self.chosen(str(value.name)) and not (np.isfinite(held) & (np.abs(held) > _LARGEST)).any():
                yield value, held
