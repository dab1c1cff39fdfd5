"""The training loop: epochs of an objective until nothing gets better, a checkpoint after each."""

from __future__ import annotations

__all__ = ["train"]

from typing import TYPE_CHECKING

from edge_rec.training.checkpoint import read_checkpoint, write_checkpoint
from edge_rec.training.epochs import Run, Trained, catalogue_loss
from edge_rec_runtime import Progress, silent

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.data import Split
    from edge_rec.training.objective import N, Objective, P
    from edge_rec.training.options import TrainingOptions


def train(
    model: N,
    objective: Objective[N, P],
    split: Split,
    *,
    options: TrainingOptions,
    checkpoint: Path | None = None,
    progress: Progress = silent,
) -> Trained[N]:
    """Train a network on what its objective makes of ``split.train``, choosing the epoch by ``split.validation``.

    Args:
        model: The network with its first weights; it is left as it was.
        objective: What each step looks at.
        split: Leave-one-out; the test part is not looked at.
        options: The recipe.
        checkpoint: Written after each epoch; where it exists, training goes on from it.
        progress: Told about each step.

    Raises:
        TrainingError: The loss is no number any more (`Diverged`), or the checkpoint belongs to another run.
    """
    run = Run(model, objective, split, options, loss=catalogue_loss(split, options))
    if checkpoint is not None and checkpoint.exists():
        run.load(read_checkpoint(checkpoint, owner=run.owner))
    while run.wants_more():
        run.epoch(progress)
        if checkpoint is not None:
            write_checkpoint(checkpoint, run.saved())
    progress(run.all_steps, run.all_steps, "done")
    return run.trained()
