"""Which weights of a network the converters round, and under which names."""

from __future__ import annotations

__all__ = ["LEAST", "dense_weights", "graph_name", "rounded_weights"]

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from edge_rec.models import Network

LEAST = 512  # values; smaller weights stay fp32 in the passes too
_NETWORK = ("encoder.", "item_decoder.")
_ITEMS = ("table", "item_basis")  # the basis is multiplied from both sides, so no grid of its rows is that of its columns


def rounded_weights(model: Network, *, least: int = LEAST) -> tuple[str, ...]:
    """Return the names of the weights of two axes and ``least`` values or more, but for items and those that stay fp32."""
    return tuple(
        name
        for name, values in model.named_parameters()
        if values.ndim >= 2 and values.numel() >= least and name not in _ITEMS and name.startswith(_NETWORK)
        if not any(fnmatchcase(name.removeprefix("encoder."), pattern) for pattern in model.float_weights)
    )


def dense_weights(model: Network, *, least: int = LEAST) -> tuple[str, ...]:
    """Return the names of those of them that are dense layers' own."""
    dense = {f"{path}.weight" for path, module in model.named_modules() if isinstance(module, nn.Linear)}
    return tuple(name for name in rounded_weights(model, least=least) if name in dense)


def graph_name(model: Network, name: str) -> str:
    """Return what the graph that is made of a network calls one of its parameters; see `Network.source`."""
    if model.structure.item_rank is None:
        return name.removeprefix("encoder.")
    return name.removeprefix("item_")
