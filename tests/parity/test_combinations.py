"""What CI runs of the parity suite is a fair part of all of it."""

from __future__ import annotations

from itertools import combinations

from combinations import FACTORS, PRECISIONS, every_case, made, pairs, pairwise
from zoo_log import REQUESTS

from edge_rec.models import MODELS
from edge_rec_converters.networks import NETWORKS
from edge_rec_runtime.precision import ITEM_PRECISIONS, PRESETS


def test_every_two_values_that_go_together_meet() -> None:
    """Whatever pair any of all cases holds is held by a chosen one, and no case is chosen that is none."""
    everything, chosen = every_case(), pairwise()
    assert set(chosen) <= set(everything)
    assert set().union(*map(pairs, chosen)) == set().union(*map(pairs, everything))
    assert len(chosen) < len(everything) / 20
    assert chosen == pairwise()


def test_a_pair_is_two_factors_with_their_values() -> None:
    """Five factors have ten pairs, and the same value in another factor is another pair."""
    case = every_case()[0]
    assert len(pairs(case)) == len(list(combinations(FACTORS, 2))) == 10


def test_the_factors_hold_all_there_is() -> None:
    """Every model of the zoo but the two that have next to nothing to round, every layout, every network, every preset."""
    assert set(FACTORS[0]) == set(REQUESTS) == set(MODELS) - {"popularity", "logistic"}
    asked = ",".join(PRECISIONS.values())
    assert {f"items={one}" for one in ITEM_PRECISIONS if one not in PRESETS} <= set(asked.split(","))
    assert {f"network={one}" for _, one in NETWORKS if one not in PRESETS or one == "binary"} <= set(asked.split(","))
    assert set(PRESETS) <= set(PRECISIONS.values())
    assert len(made(every_case())) > 200
