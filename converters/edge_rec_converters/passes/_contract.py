"""What a pass is, and how one is applied."""

from __future__ import annotations

__all__ = ["Chosen", "Pass", "apply", "everything"]

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import onnx_ir as ir


# Tells by a constant's name whether a pass may rewrite it.
Chosen: TypeAlias = Callable[[str], bool]


def everything(name: str) -> bool:  # noqa: ARG001 - one Chosen of many
    """Choose every constant."""
    return True


class Pass(Protocol):
    """A rewrite that takes a graph and returns a new one."""

    def requires(self, model: ir.Model) -> None:
        """Raise ConversionError where the pass cannot do its work on this graph."""

    def run(self, model: ir.Model) -> ir.Model:
        """Return the rewritten graph; ``model`` is left as it was."""

    def ensures(self, before: ir.Model, after: ir.Model) -> None:
        """Raise ConversionError where the rewritten graph breaks the pass's promise."""


def apply(model: ir.Model, *passes: Pass) -> ir.Model:
    """Apply passes in turn, each between its two checks."""
    for step in passes:
        step.requires(model)
        after = step.run(model)
        step.ensures(model, after)
        model = after
    return model
