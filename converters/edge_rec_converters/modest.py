"""Keep constant folding from making much out of little.

A few bytes can ask for the constant ``Expand(1, [30000, 30000])``, and computing it would take the machine's memory before any
limit on the result is looked at.
"""

from __future__ import annotations

__all__ = ["fold_if_modest"]

from math import prod
from typing import TYPE_CHECKING

from edge_rec_converters.places import PLACE
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    import onnx_ir as ir

_MOST = 1 << 26  # numbers in one constant that is computed: an attention mask of eight thousand events
_GROWING = ("Expand", "Tile", "Range", "Pad", "Resize", "OneHot", "ConstantOfShape")


def fold_if_modest(node: ir.Node) -> bool | None:
    """Tell an optimiser not to compute a node of constants whose size it does not know; None leaves the choice to it.

    Raises:
        ConversionError: The node makes a constant beyond all reason.
    """
    for value in node.outputs:
        sizes = None if value.shape is None else [size for size in value.shape if isinstance(size, int)]
        if sizes is None or len(sizes) < len(value.shape or ()):
            if node.op_type in _GROWING:
                return False
            continue
        if (count := prod(sizes)) > _MOST:
            place = node.metadata_props.get(PLACE) or node.name
            raise ConversionError(
                f"{node.op_type}{f' at {place!r}' if place else ''} makes a constant of {count:,} numbers, more than {_MOST:,}; "
                "compute it from the inputs, or store what is needed of it"
            )
    return None
