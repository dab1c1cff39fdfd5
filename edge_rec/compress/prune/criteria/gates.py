"""Gates that are trained open or closed.

Louizos, Welling and Kingma, "Learning Sparse Neural Networks through L0 Regularization" (ICLR 2018).

Every weight or unit is multiplied by a gate from 0 to 1. A gate is a random number whose distribution has mass at exactly 0 and
1 and a gradient in between (hard concrete), so that the number of open gates can be a term of the loss.
"""

from __future__ import annotations

__all__ = ["Gate", "LearntGates"]

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from safetensors.numpy import load_file, save
from torch import Tensor, nn

from edge_rec.compress.tuning import short_training
from edge_rec.training import finetune
from edge_rec_runtime.atomic import replace_file
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch.nn.utils import parametrize

    from edge_rec.compress.prune.criteria.criterion import Subject
    from edge_rec.compress.prune.groups import Group
    from edge_rec.models.network import Network

_SLOPE, _LOW, _HIGH = 2 / 3, -0.1, 1.1  # of the distribution, as in the paper
_OPEN = 2.0  # log odds that a gate begins with
_OF_WEIGHTS, _OF_UNITS = 30.0, 1.0  # what it costs if all gates are open
_RATE = 1e-3  # of weights and gates, at its highest
_PACE = 30.0  # by how much log odds move faster than weights under one learning rate


class Gate(nn.Module):
    """Multiplies slices of a parameter by random gates while gradients are taken, and by their middle otherwise.

    Attributes:
        odds: One number a slice; the log odds are `_PACE` times as much.
    """

    def __init__(self, shape: tuple[int, ...], *, width: int, cost: float) -> None:
        """Take how gates lie along the parameter.

        Args:
            shape: Of the gates: that of the parameter, but 1 along axes that share one, and fewer where ``width`` is above 1.
            width: Indices of the last axis that share a gate.
            cost: What an open gate adds to the loss.
        """
        super().__init__()
        self.odds = nn.Parameter(torch.full(shape, _OPEN / _PACE))
        self.width = width
        self.cost = cost

    def forward(self, free: Tensor) -> Tensor:
        """Return ``free`` times the gates."""
        logits = self.odds * _PACE
        if torch.is_grad_enabled():
            noise = torch.rand(logits.shape).clamp(1e-6, 1 - 1e-6)
            logits = (torch.logit(noise) + logits) / _SLOPE
        gates = (torch.sigmoid(logits) * (_HIGH - _LOW) + _LOW).clamp(0, 1)
        return free * (gates if self.width == 1 else gates.repeat_interleave(self.width, dim=-1))

    def penalty(self) -> Tensor:
        """Return the expected number of open gates, times what one costs."""
        return self.cost * torch.sigmoid(self.odds * _PACE - _SLOPE * float(np.log(-_LOW / _HIGH))).sum()


@dataclass
class _Watching:
    """Takes the last epoch, whatever its quality, and keeps the odds of its gates."""

    names: tuple[str, ...]
    odds: dict[str, NDArray[np.float32]]

    def describe(self) -> dict[str, Any]:
        """Return whose gates it keeps."""
        return {"names": list(self.names)}

    def before_step(self, model: Network, step: int, steps: int) -> None:
        """Leave everything as it is."""

    def accepts(self, model: Network, *, ndcg: float, best: float) -> bool:  # noqa: ARG002 - as the protocol has it
        """Keep the odds."""
        for name in self.names:
            path, _, own = name.rpartition(".")
            held: parametrize.ParametrizationList = model.get_submodule(path).parametrizations[own]  # type: ignore[index, assignment]
            (gate,) = (one for one in held if isinstance(one, Gate))
            self.odds[name] = gate.odds.detach().numpy().copy()
        return True


class LearntGates:
    """The log odds of a gate that was trained with L + lambda ||gates||_0: how much the loss wants it open.

    Trained once, however often it is asked: while weights are pruned gradually, the order stays that of the start.

    Attributes:
        needs_data: It trains.
    """

    needs_data: ClassVar[bool] = True

    def __init__(self, *, penalty: float | None = None, epochs: int = 4) -> None:
        """Take what it would cost if all gates were open, see `PruneOptions`, and how long gates are trained."""
        self._penalty = penalty
        self._epochs = epochs
        self._found: dict[str, NDArray[np.float32]] | None = None

    def weights(self, subject: Subject) -> dict[str, NDArray[np.float32]]:
        """Return the log odds of each weight's gate, from 0 up."""
        cost = (self._penalty or _OF_WEIGHTS) / sum(values.size for values in subject.values.values())
        gates = {name: Gate(values.shape, width=1, cost=cost) for name, values in subject.values.items()}
        return self._trained(subject, gates)

    def units(self, subject: Subject, groups: Sequence[Group]) -> dict[str, NDArray[np.float32]]:
        """Return the log odds of each unit's gate, from 0 up."""
        cost, gates = (self._penalty or _OF_UNITS) / sum(group.units for group in groups), {}
        for group in groups:  # a gate at the place where a unit speaks; all these have their units along the last axis
            gates[group.silent.parameter] = Gate((1, group.units), width=group.silent.width, cost=cost)
        found = self._trained(subject, gates)
        return {group.name: found[group.silent.parameter].reshape(-1) for group in groups}

    def _trained(self, subject: Subject, gates: Mapping[str, Gate]) -> dict[str, NDArray[np.float32]]:
        if self._found is None:
            model, evidence = subject.seen("l0")
            told = json.dumps(
                [self._penalty, self._epochs, evidence.seed, {name: gate.odds.shape for name, gate in gates.items()}]
            )
            digest = hashlib.sha256(told.encode())
            for values in (*model.weights().values(), evidence.split.train.items):
                digest.update(np.ascontiguousarray(values).data)
            path = None if evidence.folder is None else evidence.folder / f"gates-{digest.hexdigest()[:16]}.safetensors"
            if path is not None and path.exists():
                self._found = load_file(path)
                return self._found
            watching = _Watching(tuple(gates), {})
            options = short_training(
                model,
                evidence.split,
                dataset=evidence.dataset,
                seed=evidence.seed,
                epochs=self._epochs,
                learning_rate=_RATE,
                full=True,
            )
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(evidence.seed)
                found = finetune(model, evidence.split, options=options, held=gates, plan=watching, progress=evidence.progress)
            if found.remarks:
                raise CompressionError(
                    f"prune: criterion=l0: the training of the gates {found.remarks[0]}; their order would mean nothing, give a "
                    "lower penalty= or another criterion"
                )
            lowest = min(float(odds.min()) for odds in watching.odds.values())
            self._found = {name: (odds - lowest) * _PACE for name, odds in watching.odds.items()}
            if path is not None:
                content = save(self._found)
                path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(path, lambda stream: stream.writelines([content]))
        return self._found
