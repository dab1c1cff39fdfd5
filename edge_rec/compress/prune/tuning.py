"""How a pruned network is trained on: the recipe of its training, shortened, with the starting model as a teacher."""

from __future__ import annotations

__all__ = ["Healing", "healed", "short_training", "starting_ndcg"]

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from edge_rec.metrics import held_out
from edge_rec.models.network import Network
from edge_rec.training import RECIPES, Distillation, TrainingOptions, finetune, recipe, teacher_outputs
from edge_rec_converters.metrics import ndcg_at_k

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from edge_rec.compress.prune.options import PruneOptions
    from edge_rec.compress.step import Given
    from edge_rec.data import Split
    from edge_rec.models import Model
    from edge_rec.training.plan import Plan

_N = TypeVar("_N", bound=Network)

_SHORT = 0.1  # of all steps: over how many the running average of the weights looks back at least


@dataclass(frozen=True, kw_only=True)
class Healing(Generic[_N]):
    """A network after its fine-tune, and what to say of it."""

    model: _N
    record: Mapping[str, Any]


def healed(
    model: _N,
    options: PruneOptions,
    given: Given,
    *,
    teacher: Model,
    held: Mapping[str, nn.Module] | None = None,
    plan: Plan | None = None,
) -> Healing[_N]:
    """Train a network on.

    Args:
        model: With weights that are pruned, or that ``held`` and ``plan`` prune while they are trained.
        options: Of the step.
        given: Of the step.
        teacher: Whose outputs are asked for besides the log, unless ``given`` has another.
        held: Of `finetune`.
        plan: Of `finetune`.
    """
    split = given.data("prune: a fine-tuning (epochs above 0)")
    training = short_training(
        model,
        split,
        dataset=given.dataset,
        epochs=options.tuned,
        seed=given.seed,
        learning_rate=options.learning_rate,
    )
    distillation = None
    if options.distil:
        outputs = teacher_outputs([given.teacher or teacher], split, folder=given.caches, progress=given.progress)
        distillation = Distillation(teacher=outputs, weight=options.distil)
    given.folder.mkdir(parents=True, exist_ok=True)
    found = finetune(
        model,
        split,
        options=training,
        held=held or {},
        distillation=distillation,
        plan=plan,
        checkpoint=given.folder / "checkpoint.safetensors",
        progress=given.progress,
    )
    record = {"best_epoch": found.best_epoch, "epochs": found.epochs, "seconds": found.seconds, "remarks": list(found.remarks)}
    return Healing(model=found.model, record=record)


def starting_ndcg(model: Model, split: Split) -> float:
    """Return NDCG@10 on validation."""
    found = held_out(model.source(), split.train, split.validation, users=split.user_attributes)
    return float(ndcg_at_k(found.ranks).mean())


def short_training(
    model: Network, split: Split, *, dataset: str, epochs: int, seed: int, learning_rate: float = 1e-3
) -> TrainingOptions:
    """Return the recipe of a network's training for a few epochs more, over the whole catalogue."""
    usual = recipe(model.name, dataset, users=len(split.train)).training if model.name in RECIPES else TrainingOptions()
    steps = epochs * math.ceil(len(split.train) / usual.batch_users)
    return replace(
        usual,
        epochs=epochs,
        patience=epochs,
        evaluate_every=1,
        learning_rate=learning_rate,
        warmup_steps=min(usual.warmup_steps, steps // 20),
        averaging=min(usual.averaging, 1 - 1 / max(_SHORT * steps, 1)),
        loss="full",
        seed=seed,
    )
