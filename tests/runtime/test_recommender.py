"""What a device asks and what it is answered, in every precision."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_rec_runtime import Recommender
from edge_rec_runtime.buckets import bucket
from edge_rec_runtime.errors import BackendError, RequestError

MakeBundle = Callable[..., Path]
HISTORY = ["i3", "i14", "i15", "i9", "i26"]
HISTORIES = st.lists(st.sampled_from([f"i{row}" for row in range(60)] + ["unknown", ""]), max_size=40)
FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["fp32", "int8", "binary", "binary-only", "fp16", "items=int4", "items=binary", "items=pq"])
def recommender(request: pytest.FixtureRequest, make_bundle: MakeBundle) -> Iterator[Recommender]:
    """Yield an open recommender of each precision."""
    with Recommender.open(make_bundle(precision=request.param)) as opened:
        yield opened


def test_an_answer_is_the_stages_composed(recommender: Recommender) -> None:
    """recommend() is lookup, gather, encode, allowed, search, label and nothing else."""
    rows, unknown = recommender.lookup([*HISTORY, "unknown"])
    vectors, mask = recommender.gather(rows)
    query = recommender.encode(vectors, mask)
    found, scores = recommender.search(query[0], 7, recommender.allowed(rows, exclude=["i1"], where={"genres": "Drama"}))
    answer = recommender.recommend([*HISTORY, "unknown"], k=7, exclude=["i1"], where={"genres": "Drama"})
    assert answer.items == recommender.label(found, scores)
    assert (answer.ignored, answer.fallback) == (unknown, False) == (("unknown",), False)
    assert vectors.shape == (1, 5, 16)
    assert mask.tolist() == [[1, 1, 1, 1, 1]]


def test_scores_are_those_of_the_exact_table(recommender: Recommender) -> None:
    """The score of a recommended item is what score() gives it, rescored or not, and the order follows it."""
    answer = recommender.recommend(HISTORY, k=60)
    assert len(answer) == 55
    scores = recommender.score(HISTORY, answer.ids)
    assert np.array_equal(scores, np.array([one.score for one in answer], np.float32))
    assert sorted(scores, reverse=True) == scores.tolist()


@given(st.lists(HISTORIES, max_size=5), st.integers(1, 70))
@FUZZ
def test_a_batch_equals_one_by_one_to_the_bit(recommender: Recommender, histories: list[list[str]], k: int) -> None:
    """No answer depends on what else is asked."""
    assert recommender.recommend_batch(histories, k=k) == [recommender.recommend(history, k=k) for history in histories]


@given(HISTORIES, st.integers(1, 80), st.booleans(), st.lists(st.sampled_from(["i1", "i2", "unknown"])))
@FUZZ
def test_every_answer_keeps_its_promises(
    recommender: Recommender,
    history: list[str],
    k: int,
    seen: bool,  # noqa: FBT001  # drawn by hypothesis
    exclude: list[str],
) -> None:
    """Never an item twice, a seen or an excluded one, an unknown one, or more than were asked for; none short of what is left."""
    answer = recommender.recommend(history, k=k, exclude_seen=not seen, exclude=exclude)
    known = [item for item in history if item in recommender.catalogue.ids]
    left = set(recommender.catalogue.ids) - set(exclude) - (set() if seen else set(known))
    assert len(set(answer.ids)) == len(answer) == min(k, len(left))
    assert set(answer.ids) <= left
    assert answer.ignored == tuple(item for item in history if item not in recommender.catalogue.ids)
    assert answer.fallback == (not known)


def test_without_a_known_item_popularity_answers(recommender: Recommender) -> None:
    """An empty or wholly unknown history gets the most popular items, ties in row order, filtered like any other."""
    counts = recommender.catalogue.popularity
    assert counts is not None
    order = sorted(range(60), key=lambda row: (-int(counts[row]), row))
    for history in ([], ["unknown", "never"]):
        answer = recommender.recommend(history, k=5)
        assert answer.ids == tuple(f"i{row}" for row in order[:5])
        assert answer[0].score == counts[order[0]]
        assert answer.fallback
    comedies = recommender.recommend([], k=5, where={"genres": "Comedy"}, exclude=[f"i{order[0]}"])
    assert all(int(item[1:]) % 3 == 1 and item != f"i{order[0]}" for item in comedies.ids)
    assert recommender.score([], ["i7"]).tolist() == [counts[7]]


def test_without_popularity_the_catalogue_answers(make_bundle: MakeBundle) -> None:
    """A bundle whose maker counted nothing still answers an empty history, in the catalogue's order, with scores of 0."""
    with Recommender.open(make_bundle(plain=True)) as recommender:
        answer = recommender.recommend([], k=3)
    assert ([tuple(one) for one in answer], answer.fallback) == ([("i0", 0.0), ("i1", 0.0), ("i2", 0.0)], True)


def test_only_the_newest_events_reach_the_encoder(recommender: Recommender) -> None:
    """Beyond the window older events count for nothing but being seen."""
    long = [f"i{row}" for row in range(45)]
    newest = recommender.recommend(long[-20:], k=60)
    answer = recommender.recommend(long, k=60)
    assert answer.items == tuple(one for one in newest if one.id not in long)


def test_padding_does_not_touch_the_answer(make_bundle: MakeBundle) -> None:
    """The same history in a longer bucket, and after its window slid, gets the same query up to the order of sums."""
    with Recommender.open(make_bundle(max_length=200)) as recommender:
        rows, _ = recommender.lookup(HISTORY)
        vectors, mask = recommender.gather(rows)
        longer = np.zeros((1, 64, 16), np.float32), np.zeros((1, 64), np.float32)
        longer[0][:, :5], longer[1][:, :5] = vectors, mask
        np.testing.assert_allclose(recommender.encode(*longer), recommender.encode(vectors, mask), rtol=1e-5)


@pytest.mark.parametrize(("events", "length"), [(1, 8), (8, 8), (9, 16), (33, 64), (65, 100), (100, 100), (129, 100)])
def test_histories_are_padded_to_few_lengths(events: int, length: int) -> None:
    """Buckets double from 8 up to the model's window."""
    assert bucket(events, 100) == length
    assert bucket(events, 5) == 5


def test_similar_items_point_the_same_way(recommender: Recommender) -> None:
    """similar() is the order of the cosines of decoded vectors, without the item itself."""
    table = recommender.bundle.table("rescore" if "rescore" in recommender.bundle.manifest.layouts else "items")
    vectors = table.decode(np.arange(60)).astype(np.float64)
    cosines = vectors @ vectors[4] / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vectors[4])
    answer = recommender.similar("i4", k=100)
    assert len(answer) == 59
    assert "i4" not in answer.ids
    found = recommender.catalogue.rows(answer.ids)[0]
    np.testing.assert_allclose([one.score for one in answer], cosines[found], atol=1e-5)
    assert (np.diff([one.score for one in answer]) <= 0).all()


def test_an_explanation_names_events_of_the_history(recommender: Recommender) -> None:
    """explain() ranks the history's own items by their similarity to the recommended one."""
    item = recommender.recommend(HISTORY, k=1)[0].id
    answer = recommender.explain([*HISTORY, *HISTORY, "unknown", item], item, k=3)
    whole = recommender.similar(item, k=60)
    assert answer.items == tuple(one for one in whole if one.id in HISTORY)[:3]
    assert answer.ignored == ("unknown",)
    assert len(recommender.explain([], item)) == 0


def test_bad_requests_are_one_sentence(recommender: Recommender) -> None:
    """Each names the value and what was expected."""
    for k in (0, -1, 2.5, "3"):
        with pytest.raises(RequestError, match="ask for at least 1"):
            recommender.recommend(HISTORY, k=k)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="'i3'"):
        recommender.recommend("i3")
    with pytest.raises(RequestError, match=r"history holds 50 \(int\)"):
        recommender.recommend(["i3", 50])  # type: ignore[list-item]
    for history in (None, 5, [None], [b"i3"], [["i3"]]):
        with pytest.raises(RequestError, match="expected a list of item ids as text"):
            recommender.recommend(history)  # type: ignore[arg-type]
    for where in ("genres", 5, {"genres": None}, {"genres": b"Drama"}, {5: "Drama"}):
        with pytest.raises(RequestError, match=r"expected values by attribute|no item has|no attribute"):
            recommender.recommend(HISTORY, where=where)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="exclude holds"):
        recommender.recommend(HISTORY, exclude="i3")
    with pytest.raises(RequestError, match=r"no context and got \['hour'\]"):
        recommender.recommend(HISTORY, context={"hour": 3})
    with pytest.raises(RequestError, match="did you mean 'genres'"):
        recommender.recommend(HISTORY, where={"genre": "Drama"})
    for call in (
        recommender.similar,
        lambda item: recommender.score(HISTORY, [item]),
        lambda item: recommender.explain(HISTORY, item),
    ):
        with pytest.raises(RequestError, match="item 'i99' is not in the catalogue of 60 items; nearest: 'i"):
            call("i99")
        with pytest.raises(RequestError, match=r"50 (is|\(int\))"):
            call(50)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="no item has year=1990; did you mean '1990'"):
        recommender.recommend(HISTORY, where={"year": [1990]})  # type: ignore[list-item]


def test_a_closed_recommender_says_so(make_bundle: MakeBundle) -> None:
    """Every request after close() is one sentence, also those that memory could still answer; to close twice is no mistake."""
    with Recommender.open(make_bundle()) as recommender:
        recommender.close()
    for call in (
        lambda: recommender.recommend(HISTORY),
        lambda: recommender.recommend([]),
        lambda: recommender.similar("i3"),
        lambda: recommender.score([], ["i3"]),
        lambda: recommender.explain(HISTORY, "i3"),
    ):
        with pytest.raises(RequestError, match="closed; open the bundle again"):
            call()


def test_closing_under_requests_ends_each_in_one_sentence(make_bundle: MakeBundle) -> None:
    """Threads that are in the middle of their requests get answers, then the sentence; nothing else, and none hangs."""
    recommender, endings = Recommender.open(make_bundle()), []

    def ask() -> None:
        try:
            while True:
                recommender.recommend(HISTORY)
        except RequestError as error:
            endings.append(str(error))

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    recommender.close()
    for thread in threads:
        thread.join(10)
    assert len(endings) == 3
    assert all("closed" in ending for ending in endings)


def test_large_requests_are_ordinary(make_bundle: MakeBundle) -> None:
    """More than is left, everything seen, numpy's whole numbers, and 100,000 events are ordinary requests."""
    with Recommender.open(make_bundle()) as recommender:
        ids = recommender.catalogue.ids
        long = recommender.recommend(["i3", "nope"] * 50_000, k=10**30)
        assert len(long) == len(ids) - 1
        assert len(long.ignored) == 50_000
        assert len(recommender.recommend(["i3"], k=np.int64(2))) == 2  # type: ignore[arg-type]
        assert len(recommender.recommend(ids)) == 0


def test_a_filter_that_leaves_nothing_gets_an_empty_answer(recommender: Recommender) -> None:
    """Fewer than k, down to none, and never padding."""
    answer = recommender.recommend(HISTORY, where={"genres": "Comedy"}, exclude=[f"i{row}" for row in range(60)])
    assert (len(answer), answer.fallback) == (0, False)


def test_threads_may_share_a_recommender(recommender: Recommender) -> None:
    """Eight threads get what one gets."""
    histories = [[f"i{(start * step) % 60}" for step in range(1, 12)] for start in range(1, 40)]
    expected = [recommender.recommend(history) for history in histories]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(recommender.recommend, histories)) == expected


def test_an_encoder_that_gives_nan_is_named(make_bundle: MakeBundle) -> None:
    """A query that is not finite, or of another width, is the encoder's fault and says so."""
    with Recommender.open(make_bundle()) as recommender:
        vectors, mask = np.zeros((1, 8, 16), np.float32), np.zeros((1, 8), np.float32)
        with pytest.raises(BackendError, match="NaN"):
            recommender.encode(vectors, mask)  # the mean of no events
