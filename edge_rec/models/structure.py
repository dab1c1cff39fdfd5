"""What compression changed in the shape of a network: layers of low rank, an item table of its own width, zeros that stay.

A model's options say what was designed, its structure what was taken away since. The parts are named by module paths, so that
every network of the zoo can be changed without knowing of it.
"""

from __future__ import annotations

__all__ = ["LowRankLinear", "Structure", "apply_structure"]

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

import torch
from torch import Tensor, nn

from edge_rec.models.decoder import ItemDecoder
from edge_rec_runtime.errors import ModelError

_MOST = 1 << 16
_WIDEST = 8  # times the network's width: what items may be stored in, since more signs than dimensions are worth their bytes


@dataclass(frozen=True, kw_only=True)
class Structure:
    """The changes, in the order in which they are applied.

    Attributes:
        ranks: Module path of a dense layer -> the rank of the two layers that stand in its place.
        item_rank: Width of the stored item vectors where they are not as wide as the network, or None.
        item_decoder: Width of the hidden layer through which the encoder sees stored items, see `ItemDecoder`; None where it sees
            them through the basis that the query is narrowed by.
        pruned: Names of parameters whose exact zeros were pruned: whoever trains on keeps them zero.
        rotated: Whether the stored item vectors lie along axes that were learnt for rounding; the basis then stays in float.
    """

    ranks: Mapping[str, int] = field(default_factory=dict)
    item_rank: int | None = None
    item_decoder: int | None = None
    pruned: tuple[str, ...] = ()
    rotated: bool = False

    def __post_init__(self) -> None:
        """Refuse what no network can be shaped by."""
        optional = {"item_rank": self.item_rank, "item_decoder": self.item_decoder}
        widths = {f"the rank of {path}": rank for path, rank in self.ranks.items()}
        for name, width in [*widths.items(), *((name, width) for name, width in optional.items() if width is not None)]:
            if type(width) is not int or not 1 <= width <= _MOST:
                raise ModelError(f"structure: {name} is {width!r:.80}; expected a whole number from 1 to {_MOST}")
        if self.item_decoder is not None and self.item_rank is None:
            raise ModelError("structure: item_decoder without an item_rank; items that are as wide as the network need no layer")
        if self.rotated and self.item_rank is None:
            raise ModelError("structure: rotated=true without an item_rank; the axes are the basis of the items")

    def __bool__(self) -> bool:
        """Tell whether anything was changed."""
        return bool(self.ranks) or self.item_rank is not None or bool(self.pruned)

    @classmethod
    def parse(cls, described: object) -> Self:
        """Read what `describe` gave.

        Raises:
            ModelError: It is no structure.
        """
        if not isinstance(described, Mapping) or not set(described) <= {one.name for one in fields(cls)}:
            known = ", ".join(one.name for one in fields(cls))
            raise ModelError(f"structure: {described!r:.80} is not an object of {known}")
        ranks, pruned = described.get("ranks", {}), described.get("pruned", ())
        if not isinstance(ranks, Mapping) or not all(isinstance(path, str) for path in ranks):
            raise ModelError(f"structure: ranks={ranks!r:.80} is not an object of module paths and ranks")
        if not isinstance(pruned, list | tuple) or not all(isinstance(name, str) for name in pruned):
            raise ModelError(f"structure: pruned={pruned!r:.80} is not a list of names of parameters")
        if not isinstance(rotated := described.get("rotated", False), bool):
            raise ModelError(f"structure: rotated={rotated!r:.80}; expected true or false")
        return cls(
            ranks=dict(ranks),
            item_rank=described.get("item_rank"),
            item_decoder=described.get("item_decoder"),
            pruned=tuple(pruned),
            rotated=rotated,
        )

    def describe(self) -> dict[str, Any]:
        """Return what differs from no change at all, fit for JSON."""
        found: dict[str, Any] = {}
        if self.ranks:
            found["ranks"] = dict(self.ranks)
        if self.item_rank is not None:
            found["item_rank"] = self.item_rank
        if self.item_decoder is not None:
            found["item_decoder"] = self.item_decoder
        if self.pruned:
            found["pruned"] = list(self.pruned)
        if self.rotated:
            found["rotated"] = True
        return found


class LowRankLinear(nn.Module):
    """Two dense layers in the place of one: [out, rank] @ [rank, in], the bias on the outer one."""

    def __init__(self, width: int, rank: int, height: int, *, bias: bool) -> None:
        super().__init__()
        self.inner = nn.Linear(width, rank, bias=False)
        self.outer = nn.Linear(rank, height, bias=bias)

    def forward(self, values: Tensor) -> Tensor:
        """Return [..., out] of ``values`` [..., in]."""
        result: Tensor = self.outer(self.inner(values))
        return result


def apply_structure(network: nn.Module, structure: Structure, *, title: str) -> None:
    """Shape a network that was just built; the new parameters hold no values yet.

    Args:
        network: Changed in place: it is whoever builds it that calls this, before weights are loaded.
        structure: What to change.
        title: Of the model, for messages.

    Raises:
        ModelError: The network has no such layer, parameter or table, or not one that has that rank.
    """
    for path, rank in structure.ranks.items():
        _split(network, path, rank, title)
    if structure.item_rank is not None:
        _narrow(network, structure.item_rank, structure.item_decoder, title)
    known = {name for name, _ in network.named_parameters()}
    if unknown := sorted(set(structure.pruned) - known):
        raise ModelError(f"{title}: structure says that {unknown[0]!r} is pruned, and there is no such parameter")


def _split(network: nn.Module, path: str, rank: int, title: str) -> None:
    above, _, name = path.rpartition(".")
    try:
        parent, layer = network.get_submodule(above), network.get_submodule(path)
    except AttributeError:
        raise ModelError(f"{title}: structure names the layer {path!r}, and there is none") from None
    if not path or type(layer) is not nn.Linear:
        raise ModelError(f"{title}: {path!r} is {type(layer).__name__}, not a dense layer that could have a rank")
    most = min(layer.in_features, layer.out_features)
    if rank > most:
        raise ModelError(f"{title}: {path} is {layer.out_features} x {layer.in_features}; its rank is at most {most}, not {rank}")
    with layer.weight.device:
        split = LowRankLinear(layer.in_features, rank, layer.out_features, bias=layer.bias is not None)
    setattr(parent, name, split)


def _narrow(network: nn.Module, rank: int, hidden: int | None, title: str) -> None:
    table = getattr(network, "table", None)
    if not isinstance(table, nn.Parameter):
        raise ModelError(f"{title}: its item vectors are computed by a tower, so there is no item table that could have a rank")
    items, dims = table.shape
    if rank > _WIDEST * dims:
        raise ModelError(f"{title}: items of {dims} dims are stored in at most {_WIDEST * dims} values, not {rank}")
    network.table = nn.Parameter(torch.empty(items, rank, device=table.device))
    network.item_basis = nn.Parameter(torch.empty(rank, dims, device=table.device))
    if hidden is not None:
        with table.device:
            network.item_decoder = ItemDecoder(rank, hidden, dims)
