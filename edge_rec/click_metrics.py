"""How well a ranker foretells clicks on held-out events."""

from __future__ import annotations

__all__ = ["ClickQuality", "click_quality", "grouped_auc", "logits"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from edge_rec_converters.metrics import auc, auc_delta_interval, bootstrap_interval, log_loss
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec.models.rankers import RankingModel
    from edge_rec_converters.examples import Examples

_TOGETHER = 4096  # examples scored at a time


@dataclass(frozen=True, kw_only=True)
class ClickQuality:
    """Figures over held-out events, and their 95 % bootstrap intervals; whole users are drawn for the AUC's.

    Attributes:
        examples: How many events were asked about.
        clicks: Share of them that were clicks.
        auc: Chance that a click scores above an event that was none.
        log_loss: Mean negative log-likelihood, in nats.
        gauc: AUC within each user who has both, averaged with the number of the user's events for a weight; NaN where none has.
    """

    examples: int
    clicks: float
    auc: float
    auc_ci: tuple[float, float]
    log_loss: float
    log_loss_ci: tuple[float, float]
    gauc: float

    def row(self) -> dict[str, object]:
        """Return the figures under the names that result files use."""
        return {
            "examples": self.examples,
            "click_share": self.clicks,
            "auc": self.auc,
            "auc_ci": list(self.auc_ci),
            "log_loss": self.log_loss,
            "log_loss_ci": list(self.log_loss_ci),
            "gauc": None if np.isnan(self.gauc) else self.gauc,
        }


def logits(model: RankingModel, examples: Examples) -> NDArray[np.float32]:
    """Return the log-odds [examples] of a click.

    Raises:
        ModelError: Some are not finite.
    """
    found = np.empty(len(examples), dtype=np.float32)
    inputs = [torch.from_numpy(examples.inputs[feature.name]) for feature in model.inputs.features]
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(examples), _TOGETHER):
            part = slice(start, start + _TOGETHER)
            found[part] = model(*(values[part] for values in inputs)).numpy()
    if not np.isfinite(found).all():
        raise ModelError(f"{model.name}: some scores are not finite; the training diverged, train again with a smaller step")
    return found


def click_quality(scores: NDArray[np.float32], clicked: NDArray[np.bool_], users: NDArray[np.integer]) -> ClickQuality:
    """Judge log-odds by what happened; all three are [examples]."""
    # Against scores that are all equal, whose AUC is one half whatever is drawn, the interval of the difference is the AUC's own.
    _, low, high = auc_delta_interval(clicked, scores, np.zeros_like(scores), groups=users, samples=200)
    losses = np.logaddexp(0.0, np.where(clicked, -scores, scores).astype(np.float64))
    return ClickQuality(
        examples=len(clicked),
        clicks=float(clicked.mean()),
        auc=auc(clicked, scores),
        auc_ci=(low + 0.5, high + 0.5),
        log_loss=log_loss(clicked, scores),
        log_loss_ci=bootstrap_interval(losses, samples=200),
        gauc=grouped_auc(clicked, scores, users),
    )


def grouped_auc(clicked: NDArray[np.bool_], scores: NDArray[np.float32], users: NDArray[np.integer]) -> float:
    """Return the mean over users of the AUC within each, weighted by their events; those with one label only do not count."""
    order = np.lexsort((scores, users))
    chosen, score, user = clicked[order], scores[order], users[order]
    new_user = np.concatenate([[True], user[1:] != user[:-1]])
    new_score = new_user | np.concatenate([[True], score[1:] != score[:-1]])
    group, run = np.cumsum(new_user) - 1, np.cumsum(new_score) - 1
    firsts, sizes = np.flatnonzero(new_user), np.bincount(group)
    runs, lengths = np.flatnonzero(new_score), np.bincount(run)
    ranks = runs[run] + (lengths[run] + 1) / 2 - firsts[group]  # from 1, within the user, equal scores sharing the mean
    positives = np.bincount(group, weights=chosen)
    pairs = positives * (sizes - positives)
    won = np.bincount(group, weights=ranks * chosen) - positives * (positives + 1) / 2
    both = pairs > 0
    if not both.any():
        return float("nan")
    return float(np.average(won[both] / pairs[both], weights=sizes[both]))
