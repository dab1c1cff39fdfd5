"""Where a network has matrices, what rank each shall have, and the network with their factors."""

from __future__ import annotations

__all__ = ["Factors", "dense_layers", "factorised_items", "factorised_layers"]

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Generic, TypeVar

from torch import nn

from edge_rec.compress.factorise.svd import Decomposed, decompose, rank_for_energy, ranks_for_bytes, saves
from edge_rec.models.network import Network
from edge_rec.models.structure import LowRankLinear
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from edge_rec.compress.factorise.step import Factorise

_N = TypeVar("_N", bound=Network)


@dataclass(frozen=True, kw_only=True)
class Factors(Generic[_N]):
    """A network with factors in the place of matrices.

    Attributes:
        model: The network.
        ranks: By module path, or ``table``.
        energy: The share of each matrix's sum of squares that its factors keep.
        left: What was asked for and left whole, since the factors would be larger.
    """

    model: _N
    ranks: Mapping[str, int]
    energy: Mapping[str, float]
    left: tuple[str, ...] = ()


def dense_layers(model: Network, pattern: str) -> dict[str, nn.Linear]:
    """Return the dense layers whose module paths match a pattern (fnmatch), but for those that are factors already."""
    factors = [f"{path}." for path, module in model.named_modules() if isinstance(module, LowRankLinear)]
    return {
        path: module
        for path, module in model.named_modules()
        if type(module) is nn.Linear and fnmatchcase(path, pattern) and not path.startswith(tuple(factors))
    }


def factorised_layers(step: Factorise, model: _N) -> Factors[_N]:
    """Return the network with factors in the place of the dense layers that the step names.

    Raises:
        CompressionError: The budget is too small, or nothing would become smaller.
    """
    layers = dense_layers(model, step.layers or "*")
    found = {path: decompose(layer.weight.detach().numpy()) for path, layer in layers.items()}
    ranks = _ranks(step, found)
    kept = {path: rank for path, rank in ranks.items() if saves(_shape(found[path]), rank)}
    if not kept:
        raise CompressionError(
            f"factorise: at rank {max(ranks.values())} no layer of {step.layers!r} has fewer weights than before; "
            "ask for a lower rank, less energy or fewer bytes"
        )
    weights = model.weights()
    for path, rank in kept.items():
        del weights[f"{path}.weight"]
        weights[f"{path}.outer.weight"], weights[f"{path}.inner.weight"] = found[path].balanced(rank)
        if f"{path}.bias" in weights:
            weights[f"{path}.outer.bias"] = weights.pop(f"{path}.bias")
    structure = replace(model.structure, ranks={**model.structure.ranks, **kept})
    return Factors(
        model=model.with_structure(structure, weights),
        ranks=kept,
        energy={path: found[path].kept(rank) for path, rank in kept.items()},
        left=tuple(path for path in ranks if path not in kept),
    )


def factorised_items(step: Factorise, model: _N, *, met: NDArray[np.int64] | None) -> Factors[_N]:
    """Return the network with its item table [items, dims] as [items, rank] @ [rank, dims].

    Args:
        step: What is asked for.
        model: Whose item table may be factorised already; it is then taken as the product that it is.
        met: [items] how often each item was met, where that shall weigh.

    Raises:
        CompressionError: The rank is above the table's, or its factors would be no smaller.
    """
    before = model.table.numel() + (model.item_basis.numel() if model.structure.item_rank is not None else 0)
    found = decompose(model.item_vectors().detach().numpy(), weights=met)
    rank = _ranks(step, {"table": found})["table"]
    if rank * sum(found.matrix.shape) >= before:
        raise CompressionError(
            f"factorise: at rank {rank} the item table has no fewer weights than its {before} now; ask for a lower rank, less "
            "energy or fewer bytes"
        )
    table, basis = found.rows(rank)
    structure = replace(model.structure, item_rank=rank)
    changed = model.with_structure(structure, {**model.weights(), "table": table, "item_basis": basis})
    return Factors(model=changed, ranks={"table": rank}, energy={"table": found.kept(rank)})


def _ranks(step: Factorise, found: Mapping[str, Decomposed]) -> dict[str, int]:
    if step.rank is not None:
        return dict.fromkeys(found, step.rank)
    if step.share is not None:
        return {path: max(1, round(step.share * min(one.matrix.shape))) for path, one in found.items()}
    if step.energy is not None:
        return {path: rank_for_energy(one, step.energy) for path, one in found.items()}
    ranks = ranks_for_bytes(found, step.bytes or 0)
    if ranks is None:
        least = 4 * sum(sum(_shape(one)) for one in found.values())
        raise CompressionError(f"factorise: bytes={step.bytes} is less than the {least} that rank 1 takes; ask for more")
    return ranks


def _shape(found: Decomposed) -> tuple[int, int]:
    rows, columns = found.matrix.shape
    return rows, columns
