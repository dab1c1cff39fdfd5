"""Pruning while a network is trained: a little every few steps, and what matters again comes back.

The share that is 0 rises along a cubic curve, fast while there is much that nobody misses: Zhu and Gupta, "To Prune, or Not to
Prune" (2017). Until the share is reached, the gradient reaches pruned weights too, as if they were there (Guo, Yao and Chen,
"Dynamic Network Surgery", NIPS 2016), so that a weight which was pruned too early grows until it is chosen again. From then on
the masks stand still and the rest of the training heals.
"""

from __future__ import annotations

__all__ = ["Gradual", "Thinned", "cubic"]

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from torch.nn.utils import parametrize

    from edge_rec.models.network import Network

    Choose = Callable[[Network, Mapping[str, NDArray[np.float32]], float], Mapping[str, NDArray[np.bool_]]]

_RISING = 0.6  # of the steps; the rest heals
_UPDATES = 20  # of the masks


def cubic(done: float, *, start: float, target: float) -> float:
    """Return the share of zeros when ``done``, from 0 to 1, of the rise is over."""
    left = 1 - min(max(done, 0.0), 1.0)
    return target + (start - target) * left**3


class _Through(torch.autograd.Function):
    """A mask whose gradient ignores it."""

    @staticmethod
    def forward(ctx: Any, free: Tensor, mask: Tensor) -> Tensor:  # noqa: ANN401, ARG004 - torch's own context
        return torch.where(mask != 0, free, 0.0)

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401, ARG004 - torch's own context
        return upstream, None


class Thinned(nn.Module):
    """A parameter with a mask that may still change.

    Mask and state are parameters without a gradient, so that averages, checkpoints and the best epoch have their own.

    Attributes:
        mask: 1 where the weight is seen, in the parameter's shape.
        growing: 1 while pruned weights get a gradient.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.mask = nn.Parameter(torch.ones(shape), requires_grad=False)
        self.growing = nn.Parameter(torch.ones(()), requires_grad=False)

    def forward(self, free: Tensor) -> Tensor:
        """Return ``free`` where the mask is 1, else 0."""
        if self.growing:
            seen: Tensor = _Through.apply(free, self.mask)  # type: ignore[no-untyped-call]  # torch types it so
            return seen
        return torch.where(self.mask != 0, free, 0.0)


class Gradual:
    """The plan of a fine-tune that prunes: when masks change, and which epochs count."""

    def __init__(
        self,
        names: tuple[str, ...],
        choose: Choose,
        plain: Callable[[Network], Network],
        *,
        start: float,
        target: float,
        least_ndcg: float | None,
        options: Mapping[str, Any],
    ) -> None:
        """Take what decides.

        Args:
            names: The parameters that are held by `Thinned`.
            choose: From a plain network, the free values of those parameters and a share of zeros to their masks.
            plain: From the network under training to one without masks, with the values that it sees.
            start: The share of zeros at the start.
            target: The share that is headed for.
            least_ndcg: NDCG@10 on validation that an epoch must have to be returned, the last one that has it being taken; None
                for the best epoch with the whole share.
            options: Those of the step, by which ``choose`` chooses; fit for JSON.
        """
        self._names = names
        self._choose = choose
        self._plain = plain
        self._start, self._target = start, target
        self._least = least_ndcg
        self._options = options

    def describe(self) -> dict[str, Any]:
        """Return the parameters that have masks, the shares and the bound, and what chooses the masks."""
        return {
            "names": list(self._names),
            "start": self._start,
            "target": self._target,
            "least_ndcg": self._least,
            "options": dict(self._options),
        }

    def before_step(self, model: Network, step: int, steps: int) -> None:
        """Change the masks where it is time."""
        rising = max(1, round(_RISING * steps)) if self._least is None else steps
        if step > rising or (step % max(1, rising // _UPDATES) and step != rising):
            return
        share = cubic((step + 1) / rising, start=self._start, target=self._target)
        held = {name: _thinned(model, name) for name in self._names}
        free = {name: _free(model, name).detach().numpy() for name in self._names}
        masks = self._choose(self._plain(model), free, share)
        with torch.no_grad():
            for name, one in held.items():
                one.mask.copy_(torch.from_numpy(masks[name].astype(np.float32)))
                if step == rising:
                    one.growing.zero_()

    def accepts(self, model: Network, *, ndcg: float, best: float) -> bool:
        """Tell whether an average that was just evaluated is to be kept instead of the best so far."""
        if self._least is not None:
            return ndcg >= self._least
        return ndcg > best and not any(bool(_thinned(model, name).growing) for name in self._names)


def _thinned(model: Network, name: str) -> Thinned:
    (found,) = (one for one in _list(model, name) if isinstance(one, Thinned))
    return found


def _free(model: Network, name: str) -> Tensor:
    free: Tensor = _list(model, name).original
    return free


def _list(model: Network, name: str) -> parametrize.ParametrizationList:
    path, _, own = name.rpartition(".")
    found: parametrize.ParametrizationList = model.get_submodule(path).parametrizations[own]  # type: ignore[index, assignment]
    return found
