"""Training of rankers: epochs of shuffled events, cross-entropy, early stopping on validation AUC.

Now and then a user or an item is shown as unknown, so that index 0 of their tables is learned: it is what everybody new is met
with. Vectors of ids are drawn towards 0 a little, or a second epoch would know the first one's clicks by heart.
"""

from __future__ import annotations

__all__ = ["RankingTraining", "TrainedRanker", "train_ranker"]

import copy
import math
import time
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from edge_rec.click_metrics import logits
from edge_rec_converters.metrics import auc, log_loss
from edge_rec_runtime import Progress, silent
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec.data.ranking import RankingData
    from edge_rec.models.rankers import RankingModel

_IDS = ("user", "item")


@dataclass(frozen=True, kw_only=True)
class RankingTraining:
    """The recipe.

    Attributes:
        epochs: Passes over the training events, at most.
        patience: Epochs without a better validation AUC before training stops.
        batch: Events a step.
        learning_rate: Of Adam.
        decay: Pull of the tables towards 0, added to their gradients: decay times their values.
        unknown: Chance that a user, and apart from it an item, is shown as unknown.
        seed: Decides the initial weights, the order and the dropout.
    """

    epochs: int = 10
    patience: int = 2
    batch: int = 4096
    learning_rate: float = 2e-3
    decay: float = 1e-5
    unknown: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no training can follow."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int":
                least = 0 if field.name == "seed" else 1
                if type(value) is not int or value < least:
                    raise TrainingError(f"training: {field.name}={value!r} is not a whole number from {least} up")
            elif not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
                raise TrainingError(f"training: {field.name}={value!r} is not a number from 0 up")
        if self.unknown >= 1:
            raise TrainingError(f"training: unknown={self.unknown!r} would hide every user and item; use a share below 1")


@dataclass(frozen=True, kw_only=True)
class TrainedRanker:
    """What training came to.

    Attributes:
        model: The weights of the best epoch.
        best_epoch: Counted from 1.
        epochs: One record an epoch: ``epoch``, ``loss`` in training, ``auc`` and ``log_loss`` on validation, ``seconds``,
            ``cpu_seconds``.
    """

    model: RankingModel
    best_epoch: int
    epochs: list[dict[str, Any]]


def train_ranker(
    model: RankingModel, data: RankingData, *, options: RankingTraining, progress: Progress = silent
) -> TrainedRanker:
    """Train a ranker on the training events, choosing the epoch by AUC on those for validation; the test is not looked at.

    Args:
        model: Newly drawn; it is left as it was.
        data: The events and their features.
        options: The recipe.
        progress: Told about each step.

    Raises:
        TrainingError: The loss is no number any more.
    """
    model = copy.deepcopy(model)
    features, rows = model.inputs.features, data.clicks.train
    centre, scale = _spread(data, model)
    model.standardise(torch.from_numpy(centre), torch.from_numpy(scale))
    validation = data.examples(features, data.clicks.validation)
    clicked = data.clicks.clicked[data.clicks.validation]
    tables = [one.weight for one in model.modules() if isinstance(one, nn.Embedding)]
    rest = [one for one in model.parameters() if all(one is not table for table in tables)]
    groups: list[dict[str, Any]] = [{"params": tables, "weight_decay": options.decay}, {"params": rest}]
    optimizer = torch.optim.Adam(groups, lr=options.learning_rate, fused=True)
    steps = math.ceil(len(rows) / options.batch)
    best, best_epoch, best_auc, records = model, 0, -1.0, list[dict[str, Any]]()
    for epoch in range(1, options.epochs + 1):
        started, busy = time.perf_counter(), time.process_time()
        rng = np.random.default_rng([options.seed, epoch])
        model.train()
        total = 0.0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(1 << 62)))
            for step, part in enumerate(np.array_split(rng.permutation(rows), steps)):
                progress((epoch - 1) * steps + step, options.epochs * steps, f"epoch {epoch} best AUC {max(best_auc, 0):.4f}")
                inputs = _hidden(data.encoded(features, part), options.unknown, rng)
                labels = torch.from_numpy(data.clicks.clicked[part].astype(np.float32))
                found = model(*(torch.from_numpy(inputs[one.name]) for one in features))
                loss = functional.binary_cross_entropy_with_logits(found, labels)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch types it so
                optimizer.step()
                total += float(loss.detach()) * len(part)
        if not math.isfinite(total):
            raise TrainingError(
                f"the loss became {total} in epoch {epoch}; train again with a learning rate below {options.learning_rate}"
            )
        scores = logits(model, validation)
        record = {"epoch": epoch, "loss": total / len(rows), "auc": auc(clicked, scores)}
        record["log_loss"] = log_loss(clicked, scores)
        records.append(record | {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - busy})
        if record["auc"] > best_auc:
            best, best_epoch, best_auc = copy.deepcopy(model), epoch, record["auc"]
        elif epoch - best_epoch >= options.patience:
            break
    progress(options.epochs * steps, options.epochs * steps, f"best AUC {best_auc:.4f}")
    return TrainedRanker(model=best.eval(), best_epoch=best_epoch, epochs=records)


def _spread(data: RankingData, model: RankingModel) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the means and standard deviations [numbers] over the training events; 1 where a number never differs."""
    numbers = [one for one in model.inputs.features if one.kind == "number"]
    found = data.encoded(numbers, data.clicks.train)
    values = [found[one.name].astype(np.float64) for one in numbers]
    centre, scale = (np.array([one(value) for value in values], dtype=np.float32) for one in (np.mean, np.std))
    return centre, np.where(scale > 0, scale, np.float32(1))


def _hidden(inputs: dict[str, NDArray[Any]], share: float, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Return inputs in which some users and some items are unknown."""
    hidden = {name: np.where(rng.random(len(values)) < share, 0, values) for name, values in inputs.items() if name in _IDS}
    return inputs | {name: values.astype(np.int32) for name, values in hidden.items()}
