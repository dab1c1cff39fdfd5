"""Figures of clicks: within users, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec.click_metrics import click_quality, grouped_auc

EXAMPLES = st.lists(st.tuples(st.booleans(), st.sampled_from([-1.0, 0.0, 0.5, 2.0]), st.integers(0, 3)), min_size=1, max_size=40)


@given(EXAMPLES)
def test_auc_within_users_counts_pairs(examples: list[tuple[bool, float, int]]) -> None:
    """It is the share of each user's pairs that are in order, a tie counting half, weighted by the user's events."""
    clicked, scores, users = (np.array(column) for column in zip(*examples, strict=True))
    total = weight = 0.0
    for user in np.unique(users):
        good, bad = scores[(users == user) & clicked], scores[(users == user) & ~clicked]
        if len(good) and len(bad):
            share = np.mean((good[:, None] > bad) + 0.5 * (good[:, None] == bad))
            total, weight = total + share * (len(good) + len(bad)), weight + len(good) + len(bad)
    found = grouped_auc(clicked, scores, users)
    assert np.isnan(found) if weight == 0 else found == pytest.approx(total / weight)


def test_the_interval_holds_the_figure_and_follows_the_users() -> None:
    """Both intervals hold their figures; events that come in whole users tell less, and the AUC's interval says so."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(40), 50)
    taste = rng.normal(size=40)[users]
    clicked = rng.random(2000) < 1 / (1 + np.exp(-2 * taste))
    scores = (taste + rng.normal(size=2000)).astype(np.float32)
    quality = click_quality(scores, clicked, users)
    assert quality.auc_ci[0] < quality.auc < quality.auc_ci[1]
    assert quality.log_loss_ci[0] < quality.log_loss < quality.log_loss_ci[1]
    alone = click_quality(scores, clicked, np.arange(2000))
    assert np.diff(quality.auc_ci) > 1.5 * np.diff(alone.auc_ci)
    assert alone.row()["gauc"] is None
    assert quality.row()["examples"] == 2000
