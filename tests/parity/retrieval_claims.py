"""What holds of every retriever and every table of neighbours on the device; each function asserts one claim."""

from __future__ import annotations

__all__ = ["answers_as_torch_does", "both_targets_recommend_the_same", "recommends_the_same"]

from typing import TYPE_CHECKING, Any

import bounds
import numpy as np
import torch_answers
from combinations import Case, Made
from drawn_requests import Request, history

from edge_rec_runtime import Recommender

if TYPE_CHECKING:
    from conftest import Zoo
    from numpy.typing import NDArray

_JUDGED = 24  # histories of each sort
_ALIKE = 1e-3  # relative: items whose fp32 scores are nearer than this may change places


def answers_as_torch_does(zoo: Zoo, case: Case) -> None:
    """Scores, ignored ids, the batch and the graph: each within its bound of what the source computes, or the same to the bit."""
    source: Any = zoo.source(case.model)
    asked = [history(source, case.given, seed) for seed in range(case.batch)]
    wanted, ids = torch_answers.scores(source, asked), source.catalogue.ids
    with Recommender.open(zoo.bundle(Made(*case[:3]))) as opened:
        found = np.array([opened.score(one.ids, ids, context=one.told) for one in asked])
        assert np.isfinite(found).all()
        assert (found.std(axis=1) > 0).all()
        errors = np.abs(found - wanted) / wanted.std(axis=1, keepdims=True)
        assert errors.max() <= bounds.score_error(case.precision), errors.max()
        answers = [opened.recommend(one.ids, context=one.told) for one in asked]
        for one, answer, scored in zip(asked, answers, found, strict=True):
            assert (answer.ignored, answer.fallback, len(answer)) == (one.unknown, False, 10)
            assert not {ids[row] for row in one.rows} & {best.id for best in answer}
            if case.precision != "binary":  # a rescore table scores the scan's candidates alone
                left = np.sort(np.delete(scored, one.rows))
                np.testing.assert_array_equal([best.score for best in answer], left[::-1][:10])
        if not asked[0].told:  # a batch has one context
            assert opened.recommend_batch([one.ids for one in asked]) == answers
        if source.kind == "retriever":
            _graph_answers(opened, source, asked, case.precision)


def _graph_answers(opened: Recommender, source: Any, asked: list[Request], precision: str) -> None:  # noqa: ANN401
    """Alone and in one batch, padded, the graph gives torch's queries for the vectors that the table decodes to."""
    alone = [opened.gather(one.rows, one.told) for one in asked]
    queries = np.concatenate([opened.encode(*one) for one in alone])
    decoded = opened.exact.decode(np.arange(len(source.catalogue)))  # type: ignore[union-attr]  # a retriever's
    wanted = torch_answers.queries(source, asked, decoded)
    errors = np.linalg.norm(queries - wanted, axis=1) / np.linalg.norm(wanted, axis=1)
    assert errors.max() <= bounds.query_error(precision), errors.max()
    drift = np.abs(opened.encode(*_batched(alone)) - queries).max() / np.abs(queries).max()
    assert drift <= bounds.drift(precision), drift


def _batched(alone: list[tuple[NDArray[Any], ...]]) -> list[NDArray[Any]]:
    """Join requests, the shorter ones padded with zeros."""
    joined = []
    for parts in zip(*alone, strict=True):
        longest = np.max([part.shape for part in parts], axis=0)
        joined.append(np.concatenate([np.pad(one, [(0, int(most)) for most in longest - one.shape]) for one in parts]))
    return joined


def recommends_the_same(zoo: Zoo, of: Made) -> None:
    """Mean overlap@10 with torch passes the gate of the precision, histories differ in their answers, and no item is lost."""
    source: Any = zoo.source(of.model)
    asked = _judged(source)
    wanted, ids = torch_answers.scores(source, asked), source.catalogue.ids
    with Recommender.open(zoo.bundle(of), verify="full") as opened:
        answers = [tuple(best.id for best in opened.recommend(one.ids, context=one.told)) for one in asked]
        shares = []
        for one, line, answer in zip(asked, wanted, answers, strict=True):
            line[one.rows] = -np.inf
            shares.append(len({ids[row] for row in np.argsort(-line, kind="stable")[:10]} & set(answer)) / 10)
        assert np.mean(shares) >= bounds.overlap(of), np.mean(shares)
        assert len(set(answers)) > len(answers) / 2
        if source.kind == "retriever":
            rows = np.arange(len(ids))
            assert all(np.any(opened.bundle.table(role).decode(rows), axis=1).all() for role in opened.bundle.manifest.layouts)


def both_targets_recommend_the_same(zoo: Zoo, model: str, precision: str) -> None:
    """ONNX and TFLite hold the same numbers: the same ten items, but where fp32 scores are within 1e-3 of each other.

    Where inputs are rounded, LiteRT rounds them otherwise than ONNX Runtime, and 98 of 100 items are the same.
    """
    source: Any = zoo.source(model)
    asked, answers = _judged(source), []
    for target in ("onnx", "tflite"):
        with Recommender.open(zoo.bundle(Made(model, target, precision))) as opened:
            answers.append([{best.id for best in opened.recommend(one.ids, context=one.told)} for one in asked])
    places, shares = {one: row for row, one in enumerate(source.catalogue.ids)}, []
    for line, left, right in zip(torch_answers.scores(source, asked), *answers, strict=True):
        shares.append(len(left & right) / 10)
        moved = line[[places[one] for one in left ^ right]]
        if len(moved) and precision in bounds.FLOAT:
            assert np.ptp(moved) < _ALIKE * np.abs(line).max()
    assert np.mean(shares) >= 0.98, np.mean(shares)


def _judged(source: Any) -> list[Request]:  # noqa: ANN401 - a retriever or neighbours
    return [history(source, given, seed) for given in ("full", "longer", "unknown") for seed in range(_JUDGED)]
