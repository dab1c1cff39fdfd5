"""How a network is trained; what it is stands in the model's own options."""

from __future__ import annotations

__all__ = ["LOSSES", "TrainingOptions"]

import math
from dataclasses import dataclass, fields

from edge_rec_runtime.errors import TrainingError

LOSSES = ("full", "sampled", "in-batch")
_WHOLE = ("epochs", "patience", "evaluate_every", "batch_users", "warmup_steps", "negatives", "seed")


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """The recipe.

    Attributes:
        epochs: Passes over the users, and the length of the cosine schedule.
        patience: Evaluations without a better validation NDCG@10 before training stops.
        evaluate_every: Epochs between two evaluations; the last epoch is always evaluated.
        batch_users: Histories a step.
        learning_rate: At its highest, after ``warmup_steps``; it falls along a cosine to ``final_share`` of it.
        warmup_steps: Steps over which the learning rate rises from 0.
        final_share: Share of the learning rate that is left at the end.
        weight_decay: Of AdamW, on every weight.
        clip: Longest gradient, as a norm over all weights.
        averaging: Decay a step of the running average of the weights, which is what is evaluated and kept; 0 keeps the last.
        loss: ``full`` cross-entropy over the catalogue; ``sampled`` or ``in-batch`` for large ones.
        dropout: Share of the activations that training hides; that of the network's own options unless given.
        negatives: Items that every event of a step is held against: distinct ones drawn uniformly for the sampled loss, other
            events' targets for the one in the batch.
        seed: Decides the initial weights, the order, the windows and the dropout.
    """

    epochs: int = 60
    patience: int = 10
    evaluate_every: int = 1
    batch_users: int = 64
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    final_share: float = 0.02
    weight_decay: float = 0.01
    clip: float = 1.0
    averaging: float = 0.998
    loss: str = "full"
    dropout: float | None = None
    negatives: int = 3000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no training can follow."""
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _WHOLE:
                least = 0 if field.name in {"seed", "warmup_steps"} else 1
                if type(value) is not int or value < least:
                    raise TrainingError(f"training: {field.name}={value!r} is not a whole number from {least} up")
            elif field.name == "dropout":
                if value is not None and not (isinstance(value, int | float) and 0 <= value < 1):
                    raise TrainingError(f"training: dropout={value!r} is not a share from 0 to below 1")
            elif field.name != "loss" and not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
                raise TrainingError(f"training: {field.name}={value!r} is not a number from 0 up")
        if self.loss not in LOSSES:
            raise TrainingError(f"training: loss={self.loss!r} is not known; use one of {', '.join(LOSSES)}")
        if self.averaging >= 1:
            raise TrainingError(f"training: averaging={self.averaging!r} would never move; use a decay from 0 to below 1")

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of the 0-based ``step`` of ``steps``."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        done = (step - self.warmup_steps) / max(steps - self.warmup_steps, 1)
        fall = 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
        return self.learning_rate * (self.final_share + (1 - self.final_share) * fall)
