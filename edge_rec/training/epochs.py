"""Epochs of an objective, the average of the weights, the best of it, and how far it all is.

Every random choice follows from the seed and the number of the epoch. A run that was interrupted therefore goes on to the
same weights as one that was not, and a checkpoint needs no generator's state.
"""

from __future__ import annotations

__all__ = ["Diverged", "Run", "Trained", "catalogue_loss"]

import copy
import hashlib
import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Generic

import numpy as np
import torch

from edge_rec.metrics import held_out
from edge_rec.training.checkpoint import Checkpoint
from edge_rec.training.dropout import DropoutPool
from edge_rec.training.held import penalties
from edge_rec.training.losses import Loss
from edge_rec.training.objective import N, P
from edge_rec_converters.metrics import ndcg_at_k
from edge_rec_runtime.errors import ModelError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from edge_rec.data import Split
    from edge_rec.models.network import Network
    from edge_rec.training.objective import Criterion, Objective
    from edge_rec.training.options import TrainingOptions
    from edge_rec.training.plan import Plan
    from edge_rec_runtime import Progress


class Diverged(TrainingError):  # noqa: N818 - it tells what happened, as KeyboardInterrupt does
    """The loss or the weights are no numbers any more."""


@dataclass(frozen=True, kw_only=True)
class Trained(Generic[N]):
    """What training came to.

    Attributes:
        model: The average of the weights at the best epoch.
        best_epoch: Counted from 1; 0 where no epoch of a fine-tune was better than what it started with.
        epochs: One record an epoch, of a fine-tune also one of epoch 0, which is before the first step: ``epoch``, ``loss`` a
            target, ``seconds``, ``cpu_seconds`` (all threads), and ``ndcg_at_10`` where it was evaluated.
        seconds: Training and evaluation, over all resumptions.
        remarks: What went otherwise than asked for.
    """

    model: N
    best_epoch: int
    epochs: list[dict[str, Any]]
    seconds: float
    remarks: tuple[str, ...] = ()


def catalogue_loss(split: Split, options: TrainingOptions) -> Loss:
    """Return the loss that the options name, over the items of a log."""
    return Loss(options, popularity=np.bincount(split.train.items, minlength=len(split.item_ids)))


class Run(Generic[N, P]):
    """Weights, their average, the optimiser, and how far it all is.

    Attributes:
        all_steps: Of all epochs.
        owner: What a checkpoint must be of.
    """

    def __init__(
        self,
        model: N,
        objective: Objective[N, P],
        split: Split,
        options: TrainingOptions,
        *,
        loss: Criterion[P],
        owner: Mapping[str, Any] | None = None,
        plan: Plan | None = None,
    ) -> None:
        """Take copies of the model; ``owner`` is what decides the weights besides model, options and data."""
        self._plan = plan
        self._split = split
        self._objective = objective
        self._options = options
        self._model, self._average, self._best = (copy.deepcopy(model) for _ in range(3))
        self._optimizer = torch.optim.AdamW(
            self._moving(), lr=options.learning_rate, betas=(0.9, 0.98), weight_decay=options.weight_decay, fused=True
        )
        self._loss = loss
        self._start: dict[str, Any] | None = None
        self._epochs: list[dict[str, Any]] = []
        self._steps = 0
        self._best_epoch = 0
        self._best_ndcg = -math.inf
        if not objective.steps:
            raise TrainingError("no user has two events to train on besides the held-out ones; a longer log is needed")
        self.all_steps = options.epochs * objective.steps
        log = hashlib.sha256(split.train.items.tobytes() + split.train.offsets.tobytes() + split.validation.tobytes())
        self._hidden = model.options.dropout if options.dropout is None else options.dropout
        recipe = asdict(options) | {"dropout": self._hidden}
        self.owner = {"data": log.hexdigest(), **model.describe(), **recipe, **(owner or {})}

    @property
    def epochs_done(self) -> int:
        """Epochs that were run."""
        return len(self._epochs)

    @property
    def has_best(self) -> bool:
        """Tell whether any evaluation was worth keeping yet."""
        return self._best_ndcg > -math.inf

    @property
    def best_epoch(self) -> int:
        """The best epoch so far."""
        return self._best_epoch

    def _moving(self) -> list[nn.Parameter]:
        return [one for one in self._model.parameters() if one.requires_grad]

    def wants_more(self) -> bool:
        """Tell whether another epoch is to be run."""
        evaluations = sum("ndcg_at_10" in one for one in self._epochs[self._best_epoch :])
        return len(self._epochs) < self._options.epochs and evaluations < self._options.patience

    def start(self) -> None:
        """Evaluate the model as it came, so that no epoch is kept which is worse; done once."""
        if self._start is None:
            started, busy = time.perf_counter(), time.process_time()
            self._start = {"epoch": 0} | self._evaluated(0)
            self._start |= {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - busy}

    def epoch(self, progress: Progress) -> None:
        """Pass once over the objective, then evaluate where it is due."""
        started, busy = time.perf_counter(), time.process_time()
        number, options = len(self._epochs) + 1, self._options
        rng = np.random.default_rng([options.seed, number])
        drop = DropoutPool(self._hidden, generator=torch.Generator().manual_seed(int(rng.integers(1 << 62))))
        total = count = 0.0
        for batch in self._objective.batches(rng):
            if self._plan is not None:
                self._plan.before_step(self._model, self._steps, self.all_steps)
            total += self._step(batch, drop, rng)
            count += sum(len(part.targets) for part in batch)
            progress(self._steps, self.all_steps, f"epoch {number} loss {total / count:.3f} best {max(self._best_ndcg, 0):.4f}")
        record: dict[str, Any] = {"epoch": number, "loss": total / count}
        if number % options.evaluate_every == 0 or number == options.epochs:
            record |= self._evaluated(number)
        record |= {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - busy}
        self._epochs.append(record)

    def _evaluated(self, number: int) -> dict[str, float]:
        """Return the quality of the average on validation; where it is the best so far, keep it."""
        split = self._split
        try:
            found = held_out(self._average.source(), split.train, split.validation, users=split.user_attributes)
        except ModelError as error:
            raise Diverged(str(error)) from error
        ndcg = float(ndcg_at_k(found.ranks).mean())
        accepted = ndcg > self._best_ndcg
        if self._plan is not None:
            accepted = self._plan.accepts(self._average, ndcg=ndcg, best=self._best_ndcg)
        if accepted:
            self._best_ndcg, self._best_epoch = ndcg, number
            _copy(self._best, dict(self._average.named_parameters()))
        return {"ndcg_at_10": ndcg}

    def _step(self, batch: Sequence[P], drop: DropoutPool, rng: np.random.Generator) -> float:
        """Move the weights once; return the summed loss."""
        options, count, total = self._options, sum(len(part.targets) for part in batch), 0.0
        negatives = self._loss.negatives([part.targets for part in batch], rng)
        # What all parts look at is computed once, and its gradient goes back once, after all of them.
        shared = self._objective.shared(self._model)
        leaves = tuple(value.detach().requires_grad_() for value in shared)
        for part in batch:
            loss = self._loss.of(self._objective.states(self._model, part, leaves, drop=drop), leaves[0], part, negatives)
            (loss / count).backward()  # type: ignore[no-untyped-call]  # torch types it so
            total += float(loss.detach())
        if (whole := self._loss.whole_step(leaves[0], rng)) is not None:
            whole.backward()  # type: ignore[no-untyped-call]  # torch types it so
            total += float(whole.detach()) * count
        used = [(value, leaf.grad) for value, leaf in zip(shared, leaves, strict=True) if leaf.grad is not None]
        used = [(value, grad) for value, grad in used if value.requires_grad]
        if used:
            torch.autograd.backward([value for value, _ in used], [grad for _, grad in used])
        for penalty in penalties(self._model):
            penalty.backward()  # type: ignore[no-untyped-call]  # torch types it so
            total += float(penalty.detach()) * count
        length = torch.nn.utils.clip_grad_norm_(self._moving(), options.clip)
        if not math.isfinite(total) or not bool(torch.isfinite(length)):
            raise Diverged(
                f"the loss became {total / count} in epoch {len(self._epochs) + 1}; the best weights so far are those of epoch "
                f"{self._best_epoch}; train again with a learning rate below {options.learning_rate}"
            )
        for group in self._optimizer.param_groups:
            group["lr"] = options.rate(self._steps, self.all_steps)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._steps += 1
        self._follow(min(options.averaging, self._steps / (self._steps + 10)))
        return total

    @torch.no_grad()
    def _follow(self, decay: float) -> None:
        """Let the average of the weights follow; what a plan has changed is no weight, and is copied."""
        average: list[Tensor] = list(self._average.parameters())
        model: list[Tensor] = list(self._model.parameters())
        torch._foreach_lerp_(average, model, 1 - decay)
        if self._plan is not None:
            for own, value in zip(average, model, strict=True):
                if not value.requires_grad:
                    own.copy_(value)

    def saved(self) -> Checkpoint:
        """Return all that `load` needs."""
        models = {"model": self._model, "average": self._average, "best": self._best}
        tensors = {f"{role}.{name}": value.detach() for role, one in models.items() for name, value in one.named_parameters()}
        for number, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
        progress = {"epochs": self._epochs, "steps": self._steps, "best_epoch": self._best_epoch, "best_ndcg": self._best_ndcg}
        if self._start is not None:
            progress["start"] = self._start
        return Checkpoint(owner=self.owner, progress=progress, tensors=tensors)

    def load(self, stored: Checkpoint) -> None:
        """Go on from a checkpoint."""
        groups: dict[str, dict[str, Tensor]] = {}
        for name, value in stored.tensors.items():
            role, _, rest = name.partition(".")
            groups.setdefault(role, {})[rest] = value
        try:
            for role, one in (("model", self._model), ("average", self._average), ("best", self._best)):
                _copy(one, groups[role])
            state: dict[int, dict[str, Tensor]] = {}
            for name, value in groups["optimizer"].items():
                number, _, moment = name.partition(".")
                state.setdefault(int(number), {})[moment] = value
            whole = self._optimizer.state_dict()
            self._optimizer.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
            self._epochs, self._steps = stored.progress["epochs"], stored.progress["steps"]
            self._best_epoch, self._best_ndcg = stored.progress["best_epoch"], stored.progress["best_ndcg"]
            self._start = stored.progress.get("start")
        except (KeyError, ValueError, RuntimeError) as error:
            raise TrainingError(f"the checkpoint is incomplete ({error}); delete it and train from the start") from error

    def trained(self, *, remarks: tuple[str, ...] = ()) -> Trained[N]:
        """Return the best average."""
        epochs = [*([] if self._start is None else [self._start]), *self._epochs]
        seconds = sum(one["seconds"] for one in epochs)
        return Trained(model=self._best.eval(), best_epoch=self._best_epoch, epochs=epochs, seconds=seconds, remarks=remarks)


def _copy(model: Network, values: Mapping[str, Tensor]) -> None:
    """Give a model the values of all its parameters."""
    own = dict(model.named_parameters())
    if odd := sorted(set(own) ^ set(values)):
        raise KeyError(odd[0])
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(values[name])
