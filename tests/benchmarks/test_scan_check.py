"""The benchmark of the search finds the true answers itself, and lets no wrong one pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scanning.cases import PRECISIONS, Case
from scanning.contender import Contender
from scanning.data import QUERIES, table, trained_vectors
from scanning.measure import row_of
from scanning.problems import PROBLEMS, Problem
from scanning.rounds import median_ratio, rounds
from scanning.truth import truth_of


def problem_of(precision: str) -> Problem:
    """Return a small problem."""
    case = Case(precision=precision, size="10k")
    values, queries = table(case, Path("none"))
    return PROBLEMS[precision](case, values, queries)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_only_the_best_rows_pass(precision: str) -> None:
    """The truth passes; a row that is not among the best, a row twice, and one outside of the table do not."""
    problem = problem_of(precision)
    best = problem.truth.rows[3][None].copy()
    assert problem.fault(3, best, ours=True) == ""
    for wrong in (best[0, 0], -1, problem.case.rows):
        answer = best.copy()
        answer[0, 9] = wrong
        assert problem.fault(3, answer, ours=False) != ""
    answer = best.copy()
    answer[0, 0] = np.setdiff1d(np.arange(11), best)[0]
    assert problem.fault(3, answer, ours=True) != ""
    assert (problem.fault(3, answer, ours=False) != "") is (not problem.own_codes)
    assert problem.fault(3, best[:, :9], ours=True).startswith("an answer has shape")


def test_ties_of_ours_go_to_the_smaller_row() -> None:
    """Another row of the same distance is right for others, and wrong for ours."""
    problem = problem_of("hamming")
    truth = truth_of(problem.case.rows, 400, lambda part: problem.scores_of(0, np.arange(part.start, part.stop))[:, None])
    tied = next(row for row, score in zip(truth.rows[0][10:], truth.scores[0][10:], strict=True) if score == truth.scores[0][9])
    answer = np.append(truth.rows[0][:9], tied)[None]
    assert problem.fault(0, answer, ours=False) == ""
    assert problem.fault(0, answer, ours=True) != ""


@pytest.mark.parametrize("k", [1, 7, 50])
def test_the_truth_is_that_of_a_full_sort(k: int) -> None:
    """Blocks and ties do not change what a stable sort of all scores gives."""
    scores = np.random.default_rng(0).integers(0, 500, size=(70_000, 2)).astype(np.float32)
    found = truth_of(len(scores), k, scores.__getitem__)
    for query in range(2):
        assert found.rows[query].tolist() == np.argsort(-scores[:, query], kind="stable")[:k].tolist()


def test_a_peer_that_is_wrong_is_not_raced_and_one_that_fails_is_named() -> None:
    """Their rows say why, and the fastest peer is one that is right."""

    def wrong(problem: Problem) -> Contender:
        return Contender(name="wrong", answer=lambda _: np.arange(10)[None])

    def fails(problem: Problem) -> Contender:
        raise RuntimeError("no such table")

    def right(problem: Problem) -> Contender:
        return Contender(name="right", answer=lambda number: problem.truth.rows[number][None])

    row = row_of(Case(precision="int8", size="10k"), [wrong, fails, right], 0.05, Path("none"))
    assert row["best_peer"] == "right"
    told = {one["name"]: one for one in row["contenders"]}
    assert told["wrong"]["fault"] == "query 0: rows whose scores are not the 10 best"
    assert told["wrong"]["ms"] is None
    assert told["fails"]["fault"] == "fails: no such table"
    assert row["ratio"] == told["right"]["ratio"]
    assert row["answers_checked"] >= 2 * QUERIES


def test_rounds_let_everybody_answer_the_same_inputs_in_turn() -> None:
    """Each name is timed in every round, slow ones in some, and every answer is seen."""
    seen: list[tuple[str, int]] = []
    calls = {"one": lambda number: number, "other": lambda number: sum(range(number, 5000))}
    found = rounds(calls, inputs=5, seconds=0.01, seen=lambda name, number, _: seen.append((name, number)))
    assert len(found["one"]) > len(found["other"]) >= 2
    assert {number for name, number in seen if name == "one"} == set(range(5))
    assert median_ratio(found["other"], found["one"]) > 1


def test_trained_rows_are_drawn_with_the_spread_of_the_catalogue(tmp_path: Path) -> None:
    """Covariance stays, hardly any two rows are the same, and fewer dims keep what inner products they can."""
    rng = np.random.default_rng(0)
    items = (rng.normal(size=(500, 80)) * np.geomspace(4, 0.01, 80) + 1).astype(np.float32)
    queries = rng.normal(size=(QUERIES, 80)).astype(np.float32)
    np.savez(tmp_path / "trained.npz", items=items, queries=queries)
    fewer, asked = trained_vectors(items, queries, 64)
    np.testing.assert_allclose(fewer @ asked.T, items @ queries.T, atol=0.1 * np.abs(items @ queries.T).max())
    drawn, _ = table(Case(precision="fp32", size="10k", data="trained"), tmp_path / "trained.npz")
    assert len(np.unique(drawn, axis=0)) > 0.99 * len(drawn)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(fewer.T), atol=0.1 * np.cov(fewer.T).max())
    with pytest.raises(ValueError, match="the trained items have 80 values; 128 are asked for"):
        trained_vectors(items, queries, 128)
