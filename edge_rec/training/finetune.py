"""Training that goes on from a trained model, its shape kept: what follows each step of compression."""

from __future__ import annotations

__all__ = ["finetune"]

import hashlib
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from edge_rec.training.checkpoint import read_checkpoint, write_checkpoint
from edge_rec.training.distillation import Distillation, DistilledLoss
from edge_rec.training.epochs import Diverged, Run, Trained, catalogue_loss
from edge_rec.training.held import baked, holding
from edge_rec.training.objective import N, NextItem
from edge_rec_runtime import Progress, silent
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch import Tensor, nn

    from edge_rec.data import Split
    from edge_rec.training.objective import Criterion
    from edge_rec.training.options import TrainingOptions
    from edge_rec.training.plan import Plan
    from edge_rec.training.windows import Window

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def finetune(
    model: N,
    split: Split,
    *,
    options: TrainingOptions,
    held: Mapping[str, nn.Module] = _NOTHING,
    frozen: Sequence[str] = (),
    distillation: Distillation | None = None,
    fed: Tensor | None = None,
    plan: Plan | None = None,
    checkpoint: Path | None = None,
    progress: Progress = silent,
) -> Trained[N]:
    """Train on from a model and return the best of all epochs, epoch 0 among them: the model as it came.

    Weights that ``model.structure`` calls pruned stay zero. A loss that diverges ends the training; what was best until then is
    returned, and ``remarks`` says so.

    Args:
        model: Left as it was.
        split: Leave-one-out; the epoch is chosen on ``validation``, the test part is not looked at.
        options: The recipe.
        held: By the name of a parameter the module through which the network sees it; what it saw last is what is returned.
            Several are chained with ``nn.Sequential``.
        frozen: Patterns of names of parameters that do not move (``encoder.*``); those that are held still are seen through
            their module.
        distillation: A teacher to learn from besides the events.
        fed: [items, dims] what the encoder is fed with while it is trained, in the place of its own items; evaluations are of the
            network without it.
        plan: What else changes between steps, and which epochs count; the best of all unless given.
        checkpoint: Written after each epoch; where it exists, training goes on from it.
        progress: Told about each step.

    Raises:
        TrainingError: A parameter cannot be held or frozen, the teacher does not fit, the checkpoint belongs to another run,
            the model as it came gives no numbers, or the loss diverged before any epoch was worth keeping.
    """
    copied = holding(model, held, frozen=frozen)
    context = [one.encode(split.user_attributes.get(one.name, [""] * len(split.train))) for one in model.context]
    objective = NextItem(split, max_length=model.options.max_length, users=options.batch_users, context=context, fed=fed)
    loss: Criterion[Window] = catalogue_loss(split, options)
    if distillation is not None:
        loss = _distilled(distillation, split, options)
    owner = {
        "weights": _digest(model),
        "held": {name: [str(one), _settings(one), _digest(one)] for name, one in held.items()},
        "frozen": list(frozen),
        "plan": None if plan is None else {"kind": type(plan).__qualname__, **plan.describe()},
        "distillation": None if distillation is None else distillation.describe(),
    }
    if fed is not None:
        owner["fed"] = hashlib.sha256(fed.detach().contiguous().numpy().tobytes()).hexdigest()
    run = Run(copied, objective, split, options, loss=loss, owner=owner, plan=plan)
    if checkpoint is not None and checkpoint.exists():
        run.load(read_checkpoint(checkpoint, owner=run.owner))
    run.start()
    remarks: tuple[str, ...] = ()
    while run.wants_more():
        try:
            run.epoch(progress)
        except Diverged as error:
            if not run.has_best:
                raise
            remarks = (f"diverged in epoch {run.epochs_done + 1}, kept epoch {run.best_epoch}: {error}",)
            break
        if checkpoint is not None:
            write_checkpoint(checkpoint, run.saved())
    progress(run.all_steps, run.all_steps, "done")
    found = run.trained(remarks=remarks)
    return replace(found, model=baked(model, found.model))


def _distilled(distillation: Distillation, split: Split, options: TrainingOptions) -> DistilledLoss:
    teacher = distillation.teacher
    if options.loss != "full":
        raise TrainingError(f"distillation: loss={options.loss!r} does not see the whole catalogue; use loss=full")
    if (len(teacher.rows), teacher.items) != (len(split.train.items), len(split.item_ids)):
        raise TrainingError(
            f"distillation: the teacher answered {len(teacher.rows)} events of {teacher.items} items, the log has "
            f"{len(split.train.items)} of {len(split.item_ids)}; ask it on the log that the student learns from"
        )
    return DistilledLoss(distillation)


def _digest(module: nn.Module) -> str:
    """Return the SHA-256 of all values of a module."""
    digest = hashlib.sha256()
    for name, value in [*module.named_parameters(), *module.named_buffers()]:
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode() + value.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _settings(module: nn.Module) -> list[list[Any]]:
    """Return what else a module was made with, as far as it is plain values."""
    return [
        [path, name, value]
        for path, one in module.named_modules()
        for name, value in sorted(vars(one).items())
        if name != "training" and isinstance(value, int | float | str)
    ]
