"""What CI runs of the parity suite is a fair part of all of it."""

from __future__ import annotations

from dataclasses import asdict
from itertools import combinations

from combinations import FACTORS, PRECISIONS, every_case, made, pairs, pairwise
from zoo_log import REQUESTS

from edge_rec.models import MODELS
from edge_rec_converters.networks import NETWORKS
from edge_rec_runtime import Precision
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
    asked = set(",".join(PRECISIONS.values()).split(","))
    assert {f"items={one}" for one in ITEM_PRECISIONS if one not in PRESETS} <= asked
    assert {f"network={one}" for _, one in NETWORKS if one not in PRESETS or one == "binary"} <= asked
    for name, preset in PRESETS.items():
        whole = {part: {"int8": "int8-dynamic"}.get(word, word) if part == "network" else word for part, word in preset.items()}
        assert any(asdict(Precision.parse(one)) == whole for one in PRECISIONS.values()), name
    assert len(made(every_case())) > 200
