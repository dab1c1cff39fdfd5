"""Every model of the zoo, on its way to the device: graph and runtime answer as torch does.

CI runs a choice in which every two of model, target, precision, batch and input meet; ``make parity`` runs all combinations.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import bounds
import numpy as np
import pytest
import torch_answers
from combinations import Case, Made, every_case, made, pairwise
from drawn_requests import Request, history, ranking

from edge_rec_converters.metrics import auc
from edge_rec_runtime import Ranker, Recommender

if TYPE_CHECKING:
    from conftest import Zoo
    from numpy.typing import NDArray

    from edge_rec_converters.protocol import Source

_CASES = every_case() if os.environ.get("EDGE_REC_PARITY") else pairwise()
_RANKERS = ("neumf", "wide-deep", "deepfm", "dlrm", "dcnv2", "din")
_JUDGED = 24  # histories of each sort


def _params(rows: list[Any], *, rankers: bool) -> list[Any]:
    """Name each row, and keep those of one model in one process, where they share it."""
    return [
        pytest.param(row, id="-".join(map(str, row)), marks=pytest.mark.xdist_group(row.model))
        for row in rows
        if (row.model in _RANKERS) == rankers
    ]


def _told(request: Request) -> dict[str, Any]:
    return {"context": request.context} if request.context else {}


@pytest.mark.slow
@pytest.mark.parametrize("case", _params(_CASES, rankers=False))
def test_a_history_is_answered_as_torch_answers_it(zoo: Zoo, case: Case) -> None:
    """Scores, ignored ids, the batch and the graph: each within its bound of what the source computes, or the same to the bit."""
    source: Any = zoo.source(case.model)
    asked = [history(source, case.given, seed) for seed in range(case.batch)]
    wanted, ids = torch_answers.scores(source, asked), source.catalogue.ids
    spread = wanted.std(axis=1, keepdims=True)
    with Recommender.open(zoo.bundle(Made(*case[:3]))) as opened:
        found = np.array([opened.score(one.ids, ids, **_told(one)) for one in asked])
        assert np.isfinite(found).all()
        assert (found.std(axis=1) > 0).all()
        assert np.abs((found - wanted) / spread).max() <= bounds.score_error(case.precision)
        answers = [opened.recommend(one.ids, **_told(one)) for one in asked]
        for one, answer, scored in zip(asked, answers, found, strict=True):
            assert (answer.ignored, answer.fallback, len(answer)) == (one.unknown, False, 10)
            assert not {ids[row] for row in one.rows} & {best.id for best in answer}
            if case.precision != "binary":  # what a rescore table scored is one of the candidates only
                worst = np.delete(scored, one.rows)
                np.testing.assert_array_equal([best.score for best in answer], np.sort(worst)[::-1][:10])
        if not source_takes_context(source):
            assert opened.recommend_batch([one.ids for one in asked]) == answers
        if source.kind == "retriever":
            _graph_answers(opened, source, asked, case.precision)


def source_takes_context(source: Source) -> bool:
    """Return whether each history has a context of its own, so that no batch of one context holds them."""
    return source.kind == "retriever" and bool(source.context)


def _graph_answers(opened: Recommender, source: Any, asked: list[Request], precision: str) -> None:  # noqa: ANN401
    """Alone and in one batch, padded, the graph gives torch's queries for the vectors that the table decodes to."""
    alone = [opened.gather(one.rows, one.context or None) for one in asked]
    queries = np.concatenate([opened.encode(*one) for one in alone])
    decoded = opened.exact.decode(np.arange(len(source.catalogue)))  # type: ignore[union-attr]  # a retriever's
    wanted = torch_answers.queries(source, asked, decoded)
    errors = np.linalg.norm(queries - wanted, axis=1) / np.linalg.norm(wanted, axis=1)
    assert errors.max() <= bounds.query_error(precision)
    together = opened.encode(*_batched(alone))
    assert np.abs(together - queries).max() <= bounds.drift(precision) * np.abs(queries).max()


def _batched(alone: list[tuple[NDArray[Any], ...]]) -> list[NDArray[Any]]:
    """Join requests, the shorter ones padded with zeros."""
    joined = []
    for parts in zip(*alone, strict=True):
        longest = np.max([part.shape for part in parts], axis=0)
        joined.append(
            np.concatenate(
                [np.pad(one, [(0, int(most - own)) for own, most in zip(one.shape, longest, strict=True)]) for one in parts]
            )
        )
    return joined


@pytest.mark.slow
@pytest.mark.parametrize("case", _params(_CASES, rankers=True))
def test_candidates_are_ranked_as_torch_ranks_them(zoo: Zoo, case: Case) -> None:
    """Logits and ranks: within their bound of what the source computes, and the same whoever else is asked about."""
    source: Any = zoo.source(case.model)
    request = ranking(source, case.given, case.batch, seed=1)
    fed = torch_answers.inputs(source, request)
    wanted, spread = torch_answers.logits(source, fed), torch_answers.logits(source, zoo.examples(case.model).inputs).std()
    with Ranker.open(zoo.bundle(Made(*case[:3]))) as opened:
        found = opened.logits(fed)
        assert np.isfinite(found).all()
        assert np.abs(found - wanted).max() <= bounds.logit_error(case.precision) * spread
        ranked = opened.rank(request.ids, request.context)
        assert ranked.ignored == request.unknown
        by_id = {one.id: one.score for one in ranked}
        ids = [source.catalogue.ids[row] for row in request.rows]
        np.testing.assert_allclose([by_id[one] for one in ids], 1 / (1 + np.exp(-found.astype(np.float64))), rtol=1e-9)
        assert [one.score for one in ranked] == sorted(by_id.values(), reverse=True)
        others = ranking(source, case.given, case.batch, seed=2)
        row = np.zeros(1, np.int64)
        mixed = {
            name: np.concatenate([values[row], _widened(torch_answers.inputs(source, others)[name], values)[1:]])
            for name, values in fed.items()
        }
        assert opened.logits(mixed)[0] == found[0]
        alone = np.concatenate([opened.logits({name: values[[at]] for name, values in fed.items()}) for at in range(len(ids))])
        assert np.abs(alone - found).max() <= bounds.drift(case.precision) * spread


def _widened(values: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Return values in the width of others, words that do not fit left out."""
    if values.ndim == 1:
        return values
    return np.pad(values, ((0, 0), (0, like.shape[1])))[:, : like.shape[1]]


@pytest.mark.slow
@pytest.mark.parametrize("of", _params(made(_CASES), rankers=False))
def test_the_same_items_are_recommended(zoo: Zoo, of: Made) -> None:
    """Mean overlap@10 with torch passes the gate of the precision, histories differ in their answers, and no item is lost."""
    source: Any = zoo.source(of.model)
    asked = [history(source, given, seed) for given in ("full", "longer", "unknown") for seed in range(_JUDGED)]
    wanted, ids = torch_answers.scores(source, asked), source.catalogue.ids
    with Recommender.open(zoo.bundle(of), verify="full") as opened:
        answers = [[best.id for best in opened.recommend(one.ids, **_told(one))] for one in asked]
        shares = []
        for one, line, answer in zip(asked, wanted, answers, strict=True):
            line[one.rows] = -np.inf
            shares.append(len({ids[row] for row in np.argsort(-line, kind="stable")[:10]} & set(answer)) / 10)
        assert np.mean(shares) >= bounds.overlap(of.precision)
        assert len({tuple(answer) for answer in answers}) > len(answers) / 2
        if source.kind == "retriever":
            rows = np.arange(len(ids))
            assert all(np.any(opened.bundle.table(role).decode(rows), axis=1).all() for role in opened.bundle.manifest.layouts)


@pytest.mark.slow
@pytest.mark.parametrize("of", _params(made(_CASES), rankers=True))
def test_as_many_clicks_are_foreseen(zoo: Zoo, of: Made) -> None:
    """On held-out examples the AUC falls by no more than the precision may cost, and the logits differ."""
    source: Any = zoo.source(of.model)
    examples = zoo.examples(of.model)
    assert examples.labels is not None
    wanted = torch_answers.logits(source, examples.inputs)
    with Ranker.open(zoo.bundle(of), verify="full") as opened:
        found = opened.logits(examples.inputs)
    assert auc(examples.labels, wanted) - auc(examples.labels, found) <= bounds.auc_loss(of.precision)
    assert len(np.unique(found)) > len(found) / 4
    assert np.corrcoef(found, wanted)[0, 1] > 0.5
