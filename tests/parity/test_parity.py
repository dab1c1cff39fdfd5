"""Every model of the zoo, on its way to the device: graph and runtime answer as torch does.

CI runs a choice in which every two of model, target, precision, batch and input meet; ``make parity`` runs all combinations.
One test holds all of a model's, so that one process trains and exports it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import ranking_claims
import retrieval_claims
from combinations import FACTORS, RANKERS, every_case, made, pairwise

if TYPE_CHECKING:
    from conftest import Zoo

_ALL = bool(os.environ.get("EDGE_REC_PARITY"))
_CASES = every_case() if _ALL else pairwise()
_BOTH = ("fp32", "int8-dynamic", "binary-network")  # held against each other in both targets in CI


def _shared(model: str) -> list[str]:
    """Return the precisions of a model that are held against each other."""
    known = [one.precision for one in made(every_case()) if (one.model, one.target) == (model, "tflite")]
    return [one for one in known if _ALL or one in _BOTH]


@pytest.mark.slow
@pytest.mark.parametrize("model", [one for one in FACTORS[0] if one not in RANKERS])
def test_a_history_is_answered_as_torch_answers_it(zoo: Zoo, subtests: pytest.Subtests, model: str) -> None:
    """See `retrieval_claims`: scores, graph and batch; the ten items; both targets alike."""
    cases = [one for one in _CASES if one.model == model]
    for case in cases:
        with subtests.test(case=case):
            retrieval_claims.answers_as_torch_does(zoo, case)
    for of in made(cases):
        with subtests.test(bundle=of):
            retrieval_claims.recommends_the_same(zoo, of)
    for precision in _shared(model):
        with subtests.test(targets=precision):
            retrieval_claims.both_targets_recommend_the_same(zoo, model, precision)


@pytest.mark.slow
@pytest.mark.parametrize("model", RANKERS)
def test_candidates_are_ranked_as_torch_ranks_them(zoo: Zoo, subtests: pytest.Subtests, model: str) -> None:
    """See `ranking_claims`: logits, ranks and batch; the AUC; both targets alike."""
    cases = [one for one in _CASES if one.model == model]
    for case in cases:
        with subtests.test(case=case):
            ranking_claims.ranks_as_torch_does(zoo, case)
    for of in made(cases):
        with subtests.test(bundle=of):
            ranking_claims.foresees_as_many_clicks(zoo, of)
    for precision in _shared(model):
        with subtests.test(targets=precision):
            ranking_claims.both_targets_rank_the_same(zoo, model, precision)
