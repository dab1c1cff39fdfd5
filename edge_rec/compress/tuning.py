"""How a changed network is trained on: the recipe of its training, shortened, with the starting model as a teacher."""

from __future__ import annotations

__all__ = ["Tuned", "short_training", "tuned", "validation_ndcg"]

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from edge_rec.metrics import held_out
from edge_rec.models import Network
from edge_rec.training import RECIPES, Distillation, TrainingOptions, finetune, recipe, teacher_outputs
from edge_rec_converters.metrics import ndcg_at_k

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from edge_rec.compress.step import Given
    from edge_rec.data import Split
    from edge_rec.models import Model
    from edge_rec.training.plan import Plan

_N = TypeVar("_N", bound=Network)

_EVALUATIONS = 5  # of a fine-tune that no plan watches
_SHORT = 0.1  # of all steps: over how many the running average of the weights looks back at least


@dataclass(frozen=True, kw_only=True)
class Tuned(Generic[_N]):
    """A network after its fine-tuning, and what to say of that, fit for JSON."""

    model: _N
    record: Mapping[str, Any]


def tuned(
    model: _N,
    given: Given,
    *,
    step: str,
    teacher: Model,
    epochs: int,
    learning_rate: float,
    distil: float = 0.0,
    dropout: float | None = None,
    held: Mapping[str, nn.Module] = MappingProxyType({}),
    frozen: Sequence[str] = (),
    fed: Tensor | None = None,
    plan: Plan | None = None,
) -> Tuned[_N]:
    """Train a network on, and keep the best epoch by validation, the model as it came among them.

    Args:
        model: With weights that were changed.
        given: Of the step.
        step: What to call it in messages.
        teacher: Whose outputs are asked for besides the log, unless ``given`` has one.
        epochs: Passes over the users.
        learning_rate: At its highest.
        distil: Share of the loss that asks for the teacher's outputs; 0 asks for the log alone.
        dropout: Share of the activations that training hides; that of the model's own training unless given.
        held: Of `finetune`.
        frozen: Of `finetune`.
        fed: Of `finetune`.
        plan: Of `finetune`.

    Raises:
        DataError: There is no log.
        TrainingError: The fine-tuning cannot be done.
    """
    split = given.data(f"{step} with epochs above 0")
    distillation = None
    if distil:
        outputs = teacher_outputs([given.teacher or teacher], split, folder=given.caches, progress=given.progress)
        distillation = Distillation(teacher=outputs, weight=distil)
    training = short_training(
        model, split, dataset=given.dataset, seed=given.seed, epochs=epochs, learning_rate=learning_rate, full=distil > 0
    )
    training = replace(training, dropout=dropout)
    if plan is None:  # a plan may wait for what an evaluation says
        training = replace(training, evaluate_every=max(1, epochs // _EVALUATIONS))
    given.folder.mkdir(parents=True, exist_ok=True)
    found = finetune(
        model,
        split,
        options=training,
        held=held,
        frozen=frozen,
        distillation=distillation,
        fed=fed,
        plan=plan,
        checkpoint=given.folder / "checkpoint.safetensors",
        progress=given.progress,
    )
    record = {"best_epoch": found.best_epoch, "epochs": found.epochs, "remarks": list(found.remarks)}
    return Tuned(model=found.model, record=record)


def short_training(
    model: Network, split: Split, *, dataset: str, seed: int, epochs: int, learning_rate: float, full: bool = False
) -> TrainingOptions:
    """Return the recipe that a model of this kind is trained by, for a few epochs: a short warm-up, a short average.

    Args:
        model: The network.
        split: The log.
        dataset: Its name, which a recipe may depend on.
        seed: Of every random choice.
        epochs: Passes over the users, each evaluated.
        learning_rate: At its highest.
        full: Whether the loss must see the whole catalogue.
    """
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
        loss="full" if full else usual.loss,
        seed=seed,
    )


def validation_ndcg(model: Model, split: Split) -> float:
    """Return NDCG@10 on the validation events."""
    found = held_out(model.source(), split.train, split.validation, users=split.user_attributes)
    return float(ndcg_at_k(found.ranks).mean())
