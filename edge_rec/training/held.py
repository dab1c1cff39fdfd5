"""Parameters that are held to something while they are trained: masked, rounded, gated.

The network sees ``held(free)`` for each such parameter; the optimiser moves ``free``. When training is done, what the network
saw is all that is left.
"""

from __future__ import annotations

__all__ = ["Masked", "baked", "holding", "penalties"]

import copy
import difflib
import fnmatch
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from edge_rec.models.network import Network
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

N = TypeVar("N", bound=Network)


class Masked(nn.Module):
    """Keeps values at exactly 0 where a mask is 0; neither gradient nor decay moves them."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        """Take a mask of 0 and 1, or bool, in the shape of the parameter."""
        super().__init__()
        self.register_buffer("mask", mask.to(torch.float32), persistent=False)

    def forward(self, free: Tensor) -> Tensor:
        """Return ``free`` where the mask is 1, else 0."""
        return torch.where(self.mask != 0, free, 0.0)


def holding(model: N, held: Mapping[str, nn.Module], *, frozen: Sequence[str] = ()) -> N:
    """Return a copy of a network whose named parameters are seen through the modules; those that are pruned stay zero.

    Args:
        model: Left as it was.
        held: By the name of a parameter, a module from its free value to the value that the network sees, of one shape. A
            module may have parameters of its own, which are trained too, and a ``penalty()`` that is added to the loss.
        frozen: Patterns of the names of parameters that get no gradient. Finished item codes freeze the item table.

    Raises:
        TrainingError: The network has no such parameter, the module changes its shape, or nothing is left to train.
    """
    copied = copy.deepcopy(model)
    known = dict(copied.named_parameters())
    for name in held:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            raise TrainingError(f"{model.title} has no parameter {name!r} that could be held; did you mean {near[0]!r}?")
    _freeze(model, known, [*frozen, *(["table"] if model.tables else [])])
    for name in [name for name in known if name in held or name in model.structure.pruned]:
        path, _, own = name.rpartition(".")
        maps = [copy.deepcopy(held[name])] if name in held else []
        if name in model.structure.pruned:
            maps.append(Masked(known[name].detach() != 0))
        for one in maps:
            try:
                parametrize.register_parametrization(copied.get_submodule(path), own, one)
            except (ValueError, RuntimeError) as error:
                raise TrainingError(f"{model.title}: {name} cannot be held by {type(one).__name__}: {error}") from error
    if not any(one.requires_grad for one in copied.parameters()):
        raise TrainingError(f"{model.title}: frozen={', '.join(frozen)} leaves nothing to train; freeze fewer parameters")
    return copied


def _freeze(model: Network, known: Mapping[str, nn.Parameter], patterns: Sequence[str]) -> None:
    for pattern in patterns:
        names = fnmatch.filter(known, pattern)
        if not names:
            raise TrainingError(f"{model.title} has no parameter {pattern!r} that could be frozen; it has {', '.join(known)}")
        for name in names:
            known[name].requires_grad_(False)  # noqa: FBT003 - torch's own


def baked(model: N, trained: Network) -> N:
    """Return a plain copy of ``model`` with the values that the network of `holding` saw last.

    Args:
        model: What `holding` was given.
        trained: What became of its copy.
    """
    plain = copy.deepcopy(model)
    with torch.no_grad():
        for name, value in plain.named_parameters():
            path, _, own = name.rpartition(".")
            value.copy_(getattr(trained.get_submodule(path), own))
    return plain


def penalties(model: nn.Module) -> Iterator[Tensor]:
    """Yield what each module that holds a parameter adds to the loss of a step, as a mean over its events."""
    for module in model.modules():
        if isinstance(module, parametrize.ParametrizationList):
            for one in module.modules():
                penalty = getattr(one, "penalty", None)
                if callable(penalty):
                    yield penalty()
