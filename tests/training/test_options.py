"""The recipe's numbers: what is refused, and the path of the learning rate."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from edge_rec.training import RECIPES, TrainingOptions, recipe
from edge_rec_runtime.errors import TrainingError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 2.5),
        ("seed", -1),
        ("learning_rate", float("nan")),
        ("learning_rate", "fast"),
        ("clip", -1.0),
        ("averaging", 1.0),
        ("dropout", 1.0),
        ("dropout", "some"),
        ("loss", "hinge"),
    ],
)
def test_impossible_options_are_named(name: str, value: Any) -> None:  # noqa: ANN401 - anything a caller may give
    """The error names the option and its value."""
    with pytest.raises(TrainingError, match=f"{name}={value!r}"):
        TrainingOptions(**{name: value})


def test_the_rate_rises_then_falls_to_its_share() -> None:
    """Up along a line to the highest, down along a cosine to 2 % of it, half-way in the middle."""
    options = TrainingOptions(learning_rate=1.0, warmup_steps=10, final_share=0.02)
    rates = [options.rate(step, 1010) for step in range(1011)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == rates[10] == 1.0
    assert rates[510] == pytest.approx(0.51)
    assert rates[1010] == pytest.approx(0.02)
    assert all(before >= after for before, after in itertools.pairwise(rates[10:]))


def test_an_unknown_log_is_trained_like_one_of_its_size() -> None:
    """Names of public data sets decide, then the number of users."""
    assert recipe("sasrec", "ml-1m", users=3) is RECIPES["sasrec"]["ml-1m"]
    assert recipe("sasrec", "clicks", users=900) is RECIPES["sasrec"]["ml-100k"]
    assert recipe("sasrec", "clicks", users=9000) is RECIPES["sasrec"]["ml-1m"]
