"""Graphs out of bundles, run by the engines of JavaScript: the items, ids, titles and scores are those of the Python runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from client_models import ITEMS, LONGEST, K, histories

from edge_rec_runtime import Ranker, Recommender

MakeBundle = Callable[..., Path]
RunNode = Callable[..., list[dict[str, Any]]]

ASK = Path(__file__).with_name("ask_graphs.mjs")
ENGINES = ("onnxruntime-node", "onnxruntime-web")
SHOWN = 10
ALIKE = 2e-4  # of the largest score: float sums are in another order there

pytestmark = pytest.mark.xdist_group("clients")  # the models are converted once


@pytest.mark.parametrize("engine", ENGINES)
def test_it_recommends_what_python_recommends(
    run_node: RunNode, engines: Sequence[str], bundles: dict[str, Path], engine: str
) -> None:
    """A hundred histories through `recommend`, each precision: empty, unknown, repeated, and longer than the window."""
    asked = histories(100)
    requests = [{"path": str(path), "op": "recommend", "ids": ids, "k": SHOWN} for path in bundles.values() for ids in asked]
    answers = iter(run_node(ASK, requests, engine))  # one process: an engine takes seconds to start
    for name, path in bundles.items():
        with Recommender.open(path) as recommender:
            titles = dict(zip(recommender.catalogue.ids, recommender.catalogue.titles or (), strict=True))
            for ids, answer in zip(asked, islice(answers, len(asked)), strict=True):
                expected = recommender.recommend(ids, k=K)  # with a rescore table, k says how many candidates there are
                assert (answer["unknown"], answer["fallback"]) == (list(expected.ignored), expected.fallback)
                assert [one["title"] for one in answer["items"]] == [titles[one["id"]] for one in answer["items"]]
                compare([(one["id"], one["score"]) for one in answer["items"]], list(expected), (name, ids))


def compare(found: list[tuple[str, float]], expected: list[Any], said: object) -> None:
    """Hold an answer against Python's longer one: items may change places only with those that it scores alike."""
    assert len(found) == len({item for item, _ in found}) == min(SHOWN, len(expected)), said
    near = ALIKE * max(1, *(abs(score) for _, score in expected))
    for (item, score), (ours, ought) in zip(found, expected, strict=False):
        assert abs(score - ought) <= near, said
        assert item == ours or item in {name for name, other in expected if abs(score - other) <= near}, said


def test_what_an_input_has_no_room_for_is_still_seen(run_node: RunNode, engines: Sequence[str], bundles: dict[str, Path]) -> None:
    """An engine of one shape is told the newest events only; what was watched before them is not recommended again."""
    path = str(bundles["int8"])
    first = {"path": path, "op": "recommend", "ids": ["1"], "k": SHOWN, "length": 1}
    (alone,) = run_node(ASK, [first], ENGINES[0])
    watched = [one["id"] for one in alone["items"]]
    (after,) = run_node(ASK, [first | {"ids": [*watched, "1"]}], ENGINES[0])
    assert len(after["items"]) == SHOWN
    assert not {one["id"] for one in after["items"]} & {*watched, "1"}


@pytest.mark.parametrize("engine", ENGINES)
def test_odd_input_has_its_documented_answer(
    run_node: RunNode, engines: Sequence[str], bundles: dict[str, Path], engine: str
) -> None:
    """Rows that are none, a batch, and another type: an answer or an error, and the process goes on to the next request."""
    path = str(bundles["int8"])
    good, pad = [5, 9, 2], [-1] * 5
    requests = [
        raw(path, [good + pad]),
        raw(path, [[ITEMS, 5, -7, 9, 2**31 - 1, 2, -(2**31), -1]]),
        raw(path, [good + pad, pad + [-1] * 3, [2, 9, 5, *pad]]),
        raw(path, [[*range(LONGEST + 3)]]),
        {"path": path, "op": "raw", "type": "int32", "dims": [0, 8], "data": []},
        {"path": path, "op": "raw", "type": "int32", "dims": [1, 0], "data": []},
        raw(path, [good + pad], "float32"),
        raw(path, [good + pad], "int64"),
        raw(path, [good + pad]) | {"dims": [8]},
        {"path": path, "op": "recommend", "ids": ["1"], "k": K + 1},
        {"path": path, "op": "recommend", "ids": ["1"], "k": 0},
        {"path": path, "op": "recommend", "ids": ["1", 3], "k": 1},
        {"path": path, "op": "recommend", "ids": "12", "k": 1},
        {"path": path, "op": "tensors", "ids": ["1"], "k": 1},
        {"path": path, "op": "engineless", "ids": ["1"], "k": 1},
        raw(path, [good + pad]),
    ]
    alone, junk, batch, longer, none, nothing, *refused, again = run_node(ASK, requests, engine)
    assert again == alone
    assert junk == alone
    assert (batch["dims"], batch["types"]) == ([[3, K], [3, K]], ["int32", "float32"])
    assert batch["items"][:K] == alone["items"]
    assert (none["items"], none["dims"]) == ([], [[0, K], [0, K]])
    assert nothing["items"] == batch["items"][K : 2 * K]
    with Recommender.open(bundles["int8"]) as recommender:
        ids = recommender.catalogue.ids
        assert [ids[row] for row in batch["items"][K : 2 * K]] == list(recommender.recommend([], k=K).ids)
        newest = recommender.recommend([ids[row] for row in range(LONGEST + 3)], k=SHOWN)
        assert [ids[row] for row in longer["items"][:SHOWN]] == list(newest.ids)
    assert all("int32" in one["said"] for one in refused[:2])
    assert all("error" in one for one in refused)
    assert f"gives from 1 to {K} items; convert with --graph-k {K + 1} for more" in refused[3]["said"]
    assert "k is 0" in refused[4]["said"]
    assert "ids hold 3; expected a list of item ids as text" in refused[5]["said"]
    assert 'ids hold "12"; expected a list' in refused[6]["said"]
    assert "give the data: items.data, scores.data" in refused[7]["said"]
    assert "run is undefined; expected the function" in refused[8]["said"]
    assert {one["error"] for one in refused[3:]} == {"RequestError"}


def raw(path: str, rows: list[list[int]], dtype: str = "int32") -> dict[str, Any]:
    """Return a request that gives the graph numbers as they are."""
    return {
        "path": path,
        "op": "raw",
        "type": dtype,
        "dims": [len(rows), len(rows[0])],
        "data": [one for row in rows for one in row],
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_a_ranker_scores_as_python_scores(
    run_node: RunNode, engines: Sequence[str], make_ranker: MakeBundle, engine: str
) -> None:
    """Candidates and a context of every kind of feature give the same order and the same scores; unknown ids are named."""
    path = make_ranker()
    source = np.random.default_rng(3)
    requests: list[dict[str, Any]] = []
    for _ in range(40):
        ids = [f"i{row}" for row in source.integers(0, 45, source.integers(1, 30))]
        watched = [f"i{row}" for row in source.integers(0, 45, source.integers(0, 25))]
        context: dict[str, object] = {
            "age": [None, "18", "99"][source.integers(3)],
            "history": watched,
            "hour": float(source.normal()),
        }
        requests.append({"path": str(path), "op": "rank", "ids": ids, "context": context})
    answers = run_node(ASK, requests, engine)
    with Ranker.open(path) as ranker:
        for request, answer in zip(requests, answers, strict=True):
            expected = ranker.rank(request["ids"], request["context"])
            assert [one["id"] for one in answer["items"]] == list(expected.ids)
            assert [one["score"] for one in answer["items"]] == pytest.approx([one.score for one in expected], abs=1e-6)
            known = set(ranker.catalogue.ids)
            assert answer["unknown"] == [one for one in dict.fromkeys(request["ids"]) if one not in known]


def test_a_context_that_does_not_fit_is_refused(run_node: RunNode, engines: Sequence[str], make_ranker: MakeBundle) -> None:
    """What is missing, not taken, or of another kind is named before the engine is asked."""
    context = {"age": "18", "history": [], "hour": 3}
    odd = [{}, context | {"more": 1}, context | {"hour": "3"}, context | {"history": "i1"}, context | {"age": ["18"]}]
    path = str(make_ranker())
    requests = [{"path": path, "op": "rank", "ids": ["i1"], "context": one} for one in odd]
    answers = run_node(ASK, requests, ENGINES[0])
    assert [one["error"] for one in answers] == ["RequestError"] * len(odd)
    wanted = ("lacks 'age'", "holds 'more'", "expected a finite number", "a list of words", "expected a word as text")
    assert [sentence in one["said"] for sentence, one in zip(wanted, answers, strict=True)] == [True] * len(odd)
