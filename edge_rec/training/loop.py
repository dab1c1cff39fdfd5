"""The training loop: epochs of next-item windows, an average of the weights, early stopping on validation NDCG@10.

Every random choice follows from the seed and the number of the epoch. A run that was interrupted therefore goes on to the
same weights as one that was not, and a checkpoint needs no generator's state.
"""

from __future__ import annotations

__all__ = ["Trained", "train"]

import copy
import hashlib
import math
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from edge_rec.metrics import held_out
from edge_rec.models.sasrec import SASRec, SASRecOptions
from edge_rec.training.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from edge_rec.training.dropout import DropoutPool
from edge_rec.training.losses import cpu_has_bfloat16, full_cross_entropy, sampled_cross_entropy
from edge_rec.training.windows import Window, batches
from edge_rec_converters.metrics import ndcg_at_k
from edge_rec_runtime import Progress, silent
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from edge_rec.data import Split
    from edge_rec.training.options import TrainingOptions
    from edge_rec_runtime import Catalogue


@dataclass(frozen=True, kw_only=True)
class Trained:
    """What training came to.

    Attributes:
        model: The average of the weights at the best epoch.
        best_epoch: Counted from 1.
        epochs: One record an epoch: ``epoch``, ``loss`` a token, ``seconds``, ``cpu_seconds`` (all threads), and
            ``ndcg_at_10`` where it was evaluated.
        seconds: Training and evaluation, over all resumptions.
    """

    model: SASRec
    best_epoch: int
    epochs: list[dict[str, Any]]
    seconds: float


def train(
    split: Split,
    catalogue: Catalogue,
    *,
    shape: SASRecOptions,
    options: TrainingOptions,
    checkpoint: Path | None = None,
    progress: Progress = silent,
) -> Trained:
    """Train a SASRec on ``split.train``, choosing the epoch by ``split.validation``.

    Args:
        split: Leave-one-out; the test part is not looked at.
        catalogue: Ids of the item rows.
        shape: The network.
        options: The recipe.
        checkpoint: Written after each epoch; where it exists, training goes on from it.
        progress: Told about each step.

    Raises:
        TrainingError: The loss is no number any more, or the checkpoint belongs to another run.
    """
    run = _Run(split, catalogue, shape, options)
    if checkpoint is not None and checkpoint.exists():
        run.load(read_checkpoint(checkpoint, owner=run.owner))
    while run.wants_more():
        run.epoch(progress)
        if checkpoint is not None:
            write_checkpoint(checkpoint, run.saved())
    progress(run.all_steps, run.all_steps, "done")
    return run.trained()


class _Run:
    """Weights, their average, the optimiser, and how far it all is."""

    def __init__(self, split: Split, catalogue: Catalogue, shape: SASRecOptions, options: TrainingOptions) -> None:
        self._split = split
        self._options = options
        self._model = SASRec(shape, catalogue, seed=options.seed)
        self._average = copy.deepcopy(self._model)
        self._best = copy.deepcopy(self._model)
        self._optimizer = torch.optim.AdamW(
            self._model.parameters(), lr=options.learning_rate, betas=(0.9, 0.98), weight_decay=options.weight_decay, fused=True
        )
        self._dtype = torch.bfloat16 if cpu_has_bfloat16() else torch.float32
        self._epochs: list[dict[str, Any]] = []
        self._steps = 0
        self._best_epoch = 0
        self._best_ndcg = -math.inf
        trainable = int((np.diff(split.train.offsets) >= 2).sum())
        if not trainable:
            raise TrainingError("no user has two events to train on besides the held-out ones; a longer log is needed")
        self.all_steps = options.epochs * math.ceil(trainable / options.batch_users)
        log = hashlib.sha256(split.train.items.tobytes() + split.train.offsets.tobytes() + split.validation.tobytes())
        self.owner = {"data": log.hexdigest(), **asdict(shape), **asdict(options)}

    def wants_more(self) -> bool:
        """Tell whether another epoch is to be run."""
        evaluations = sum("ndcg_at_10" in one for one in self._epochs[self._best_epoch :])
        return len(self._epochs) < self._options.epochs and evaluations < self._options.patience

    def epoch(self, progress: Progress) -> None:
        """Pass once over all users, then evaluate where it is due."""
        started, busy = time.perf_counter(), time.process_time()
        number, options = len(self._epochs) + 1, self._options
        rng = np.random.default_rng([options.seed, number])
        drop = DropoutPool(self._model.options.dropout, generator=torch.Generator().manual_seed(int(rng.integers(1 << 62))))
        length = self._model.options.max_length
        total = tokens = 0.0
        for batch in batches(self._split.train, max_length=length, users=options.batch_users, rng=rng):
            total += self._step(batch, drop, rng)
            tokens += sum(len(window.targets) for window in batch)
            progress(self._steps, self.all_steps, f"epoch {number} loss {total / tokens:.3f} best {max(self._best_ndcg, 0):.4f}")
        record: dict[str, Any] = {"epoch": number, "loss": total / tokens}
        if number % options.evaluate_every == 0 or number == options.epochs:
            found = held_out(self._average.source(), self._split.train, self._split.validation)
            record["ndcg_at_10"] = float(ndcg_at_k(found.ranks).mean())
            if record["ndcg_at_10"] > self._best_ndcg:
                self._best_ndcg, self._best_epoch = record["ndcg_at_10"], number
                self._best.load_state_dict(self._average.state_dict())
        record |= {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - busy}
        self._epochs.append(record)

    def _step(self, batch: list[Window], drop: DropoutPool, rng: np.random.Generator) -> float:
        """Move the weights once; return the summed loss."""
        options, tokens, total = self._options, sum(len(window.targets) for window in batch), 0.0
        negatives = self._negatives(rng) if options.loss == "sampled" else None
        for window in batch:
            table = self._model.table
            states = self._model.encoder.states(functional.embedding(window.rows, table), drop=drop)[window.events]
            if negatives is None:
                loss = full_cross_entropy(states, table, window.targets, dtype=self._dtype)
            else:
                loss = sampled_cross_entropy(states, table, window.targets, negatives=negatives[0], log_expected=negatives[1])
            (loss / tokens).backward()  # type: ignore[no-untyped-call]  # torch types it so
            total += float(loss.detach())
        length = torch.nn.utils.clip_grad_norm_(self._model.parameters(), options.clip)
        if not math.isfinite(total) or not bool(torch.isfinite(length)):
            raise TrainingError(
                f"the loss became {total / tokens} in epoch {len(self._epochs) + 1}; the best weights so far are those of epoch "
                f"{self._best_epoch}; train again with a learning rate below {options.learning_rate}"
            )
        for group in self._optimizer.param_groups:
            group["lr"] = options.rate(self._steps, self.all_steps)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._steps += 1
        decay = min(options.averaging, self._steps / (self._steps + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self._average.parameters()), list(self._model.parameters()), 1 - decay)
        return total

    def _negatives(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Draw distinct items uniformly; return their rows and the log of how many of each were to be expected."""
        items = len(self._model.catalogue)
        count = min(self._options.negatives, items)
        rows = torch.from_numpy(rng.choice(items, size=count, replace=False))
        return rows, torch.full((count,), math.log(count / items))

    def saved(self) -> Checkpoint:
        """Return all that `load` needs."""
        models = {"model": self._model, "average": self._average, "best": self._best}
        tensors = {f"{role}.{name}": value.detach() for role, one in models.items() for name, value in one.named_parameters()}
        for number, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
        progress = {"epochs": self._epochs, "steps": self._steps, "best_epoch": self._best_epoch, "best_ndcg": self._best_ndcg}
        return Checkpoint(owner=self.owner, progress=progress, tensors=tensors)

    def load(self, stored: Checkpoint) -> None:
        """Go on from a checkpoint."""
        groups: dict[str, dict[str, Tensor]] = {}
        for name, value in stored.tensors.items():
            role, _, rest = name.partition(".")
            groups.setdefault(role, {})[rest] = value
        try:
            for role, one in (("model", self._model), ("average", self._average), ("best", self._best)):
                one.load_state_dict(groups[role])
            state: dict[int, dict[str, Tensor]] = {}
            for name, value in groups["optimizer"].items():
                number, _, moment = name.partition(".")
                state.setdefault(int(number), {})[moment] = value
            whole = self._optimizer.state_dict()
            self._optimizer.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
            self._epochs, self._steps = stored.progress["epochs"], stored.progress["steps"]
            self._best_epoch, self._best_ndcg = stored.progress["best_epoch"], stored.progress["best_ndcg"]
        except (KeyError, ValueError, RuntimeError) as error:
            raise TrainingError(f"the checkpoint is incomplete ({error}); delete it and train from the start") from error

    def trained(self) -> Trained:
        """Return the best average."""
        seconds = sum(one["seconds"] for one in self._epochs)
        return Trained(model=self._best.eval(), best_epoch=self._best_epoch, epochs=self._epochs, seconds=seconds)
