"""Measuring real bundles: every figure is there, the stages are the request, and nothing is measured that cannot be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from edge_rec_devices import Plan, measure
from edge_rec_devices.replay import Replay
from edge_rec_devices.serving import Ranking, Recommending, Serving, open_serving
from edge_rec_devices.serving.protocol import known_context
from edge_rec_runtime import Feature, History, Ranker, RankRequest, Recommender
from edge_rec_runtime.errors import BackendError, BundleError, MeasurementError

STAGES = {"retriever": Recommending.stages, "neighbours": Recommending.stages, "ranker": Ranking.stages}
HISTORIES = [History(tuple(f"i{(user * 7 + event) % 60}" for event in range(1 + user % 30))) for user in range(40)]
CONTEXT = {"age": "25", "history": ["i3", "i7"], "hour": 13, "zip": "94110"}
REQUESTS = [RankRequest(tuple(f"i{(user + 3 * place) % 40}" for place in range(1 + user)), context=CONTEXT) for user in range(20)]
METRICS = {"users": 40, "ndcg_at_10": 0.5, "ndcg_at_10_ci": [0.4, 0.6], "overlap_at_10": 0.9}
MakeBundle = Callable[..., Path]


def check_stages(serving: Serving, requests: Sequence[History | RankRequest]) -> None:
    """Hold every request in stages against the same as a whole."""
    for request in serving.fitting(requests):
        answer, parts = serving.in_stages(request, k=7)
        assert answer == tuple(serving.whole(request, k=7))
        assert len(answer) > 0
        assert len(parts) == len(serving.stages)
        assert min(parts) >= 0


@pytest.mark.parametrize("precision", ["fp32", "int8", "binary", "binary-only", "items=binary", "items=pq"])
def test_the_stages_are_the_request(make_bundle: MakeBundle, precision: str) -> None:
    """Answering stage by stage gives what recommend() gives, to the bit, for short, long and partly unknown histories."""
    serving = open_serving(make_bundle(precision=precision))
    check_stages(serving, [*HISTORIES, History(("i1", "unknown"))])
    (request,) = serving.fitting([HISTORIES[9]])
    with Recommender.open(make_bundle(precision=precision)) as recommender:
        assert tuple(recommender.recommend(HISTORIES[9].events, k=7)) == serving.in_stages(request, k=7)[0]
    serving.close()


def test_the_stages_are_the_request_of_other_kinds(make_ranker: MakeBundle, make_neighbours: MakeBundle) -> None:
    """The same of candidates that are ranked, with what the model takes of a context, and of tables of neighbours."""
    ranking = open_serving(make_ranker())
    check_stages(ranking, [*REQUESTS, RankRequest(("i1", "unknown"), context=CONTEXT)])
    (request,) = ranking.fitting([REQUESTS[9]])
    known = {name: value for name, value in CONTEXT.items() if name != "zip"}
    with Ranker.open(make_ranker()) as ranker:
        assert tuple(ranker.rank(REQUESTS[9].candidates, known, k=7)) == ranking.in_stages(request, k=7)[0]
    ranking.close()
    serving = open_serving(make_neighbours())
    check_stages(serving, HISTORIES)
    serving.close()


def test_bundles_of_every_kind_are_measured_side_by_side(
    make_bundle: MakeBundle, make_ranker: MakeBundle, make_neighbours: MakeBundle
) -> None:
    """Each is asked the requests of its kind, has the stages of its kind, and its result says which that is."""
    bundles = [
        make_bundle(name="a.edgerec"),
        make_neighbours(name="b.edgerec"),
        make_ranker(metrics={"auc": 0.7, "auc_delta": -0.1}),
    ]
    results = measure(bundles, [*HISTORIES, *REQUESTS], plan=Plan(seconds=0.2, warmup=2, cold_starts=1))
    assert [result.subject.kind for result in results] == list(STAGES)
    assert [result.subject.target for result in results] == ["onnx", "any", "onnx"]
    for result in results:
        assert tuple(stage.name for stage in result.stages.parts) == STAGES[result.subject.kind]
        assert 0 < result.request.p50_ms <= result.request.p99_ms
        assert result.cold_start.median_ms > result.cold_start.first_request_ms > 0
    *_, ranked = results
    assert (ranked.setup.histories, ranked.setup.mean_events, ranked.setup.mean_candidates) == (20, None, 10.5)
    assert (ranked.subject.quality.auc, ranked.subject.quality.ndcg_at_10) == (0.7, None)


def test_a_kind_without_its_requests_is_said(make_bundle: MakeBundle, make_ranker: MakeBundle) -> None:
    """A ranker needs requests, a recommender histories; the message names the option and shows a line."""
    with pytest.raises(MeasurementError, match=r"ranker\.edgerec ranks candidates.*--requests"):
        measure([make_ranker()], HISTORIES)
    with pytest.raises(MeasurementError, match=r"small\.edgerec recommends after a history.*--histories"):
        measure([make_bundle()], REQUESTS)
    with pytest.raises(MeasurementError, match="none of the 1 requests"):
        measure([make_ranker()], [RankRequest(("unknown",), context=CONTEXT)])


def test_only_what_the_model_takes_of_a_context_is_asked() -> None:
    """What a line of a file says besides is left out; features of items, and what is missing, are not made up."""
    features = (Feature("age", "category", "context", ("18", "25")), Feature("year", "number", "item"))
    assert known_context(features, {"age": "25", "zip": "1", "year": 3}) == {"age": "25"}
    assert known_context(features, {"zip": "1"}) is None
    assert known_context(features, None) is None


def test_a_measurement_has_every_figure(make_bundle: MakeBundle) -> None:
    """Two bundles measured side by side come back in order, each whole, with the manifest's quality and its own hash."""
    bundles = [make_bundle(name="a.edgerec", metrics=METRICS), make_bundle(name="b.edgerec", precision="int8")]
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int, note: str = "") -> None:
        assert note
        told.append((done, total))

    plan = Plan(seconds=0.4, warmup=3, cold_starts=2, k=5)
    results = measure(bundles, HISTORIES, plan=plan, progress=progress)
    assert [result.subject.file for result in results] == ["a.edgerec", "b.edgerec"]
    assert [result.subject.precision for result in results] == ["fp32", "int8"]
    for path, result in zip(bundles, results, strict=True):
        assert result.subject.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert result.subject.bytes == path.stat().st_size > result.subject.model_bytes > 0
        assert (result.subject.target, result.setup.backend, result.setup.histories) == ("onnx", "onnxruntime", 40)
        assert 0 < result.request.min_ms <= result.request.p50_ms <= result.request.p99_ms <= result.request.max_ms
        assert tuple(stage.name for stage in result.stages.parts) == Recommending.stages
        assert sum(stage.share for stage in result.stages.parts) == pytest.approx(1, abs=0.001)
        assert 0.5 < result.stages.sum_ratio < 2
        assert len(result.cold_start.samples_ms) == 2
        assert result.cold_start.median_ms > result.cold_start.bare_python_ms > 0
        assert {"numpy", "onnxruntime"} <= set(result.environment.packages)
    assert (results[0].subject.quality.ndcg_at_10_ci, results[1].subject.quality.ndcg_at_10) == ((0.4, 0.6), None)
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert told[-1][0] == told[-1][1]


def test_requests_that_popularity_answers_do_not_count(make_bundle: MakeBundle) -> None:
    """Histories without a known item are not replayed; if there are no others, there is no measurement."""
    serving = open_serving(make_bundle())
    assert len(serving.fitting([History(("i1",)), History(()), History(("unknown",))])) == 1
    with pytest.raises(MeasurementError, match="none of the 2 histories"):
        serving.fitting([History(()), History(("unknown",))])
    serving.close()


def test_a_runtime_whose_stages_changed_is_noticed(make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """If recommend() does something that the stages do not, the measurement stops instead of timing something else."""
    serving = open_serving(make_bundle())
    replay = Replay(serving, serving.fitting([HISTORIES[3]]), k=3)
    honest = serving.whole
    monkeypatch.setattr(serving, "whole", lambda request, k: honest(request, k=k + 1))
    with pytest.raises(MeasurementError, match="the stages of a request gave"):
        replay.warm_up(1)
    serving.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0.0}, "seconds is 0.0"),
        ({"seconds": float("nan")}, "seconds is nan"),
        ({"k": 0}, "k is 0"),
        ({"threads": -1}, "threads is -1"),
        ({"cold_starts": 0}, "cold_starts is 0"),
    ],
)
def test_a_plan_that_measures_nothing_is_refused(options: dict[str, float], message: str) -> None:
    """Before any process is started."""
    with pytest.raises(MeasurementError, match=message):
        Plan(**options)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(("bundles", "histories"), [([], HISTORIES), (["a.edgerec"], [])])
def test_nothing_to_measure_is_said(bundles: Sequence[str], histories: Sequence[History]) -> None:
    """No bundle and no history are each one sentence."""
    with pytest.raises(MeasurementError, match="there is no"):
        measure(bundles, histories)


def test_a_damaged_bundle_and_a_wrong_engine_are_said(make_bundle: MakeBundle, tmp_path: Path) -> None:
    """The runtime's own errors come through."""
    path = make_bundle()
    with pytest.raises(BackendError, match="litert"):
        measure([path], HISTORIES, plan=Plan(backend="litert"))
    (tmp_path / "cut.edgerec").write_bytes(path.read_bytes()[:500])
    flipped = bytearray(path.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    (tmp_path / "flipped.edgerec").write_bytes(flipped)
    with pytest.raises(BundleError, match="flipped"):
        measure([tmp_path / "flipped.edgerec"], HISTORIES)
    with pytest.raises(BundleError, match="cut"):
        measure([tmp_path / "cut.edgerec"], HISTORIES)
