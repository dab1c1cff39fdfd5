"""Measuring real bundles: every figure is there, the stages are the request, and nothing is measured that cannot be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from edge_rec_devices import Plan, measure
from edge_rec_devices.replay import STAGES, Replay, answer_in_stages
from edge_rec_runtime import History, Recommender
from edge_rec_runtime.errors import BackendError, BundleError, MeasurementError

HISTORIES = [History(tuple(f"i{(user * 7 + event) % 60}" for event in range(1 + user % 30))) for user in range(40)]
METRICS = {"users": 40, "ndcg_at_10": 0.5, "ndcg_at_10_ci": [0.4, 0.6], "overlap_at_10": 0.9}
MakeBundle = Callable[..., Path]


@pytest.mark.parametrize("precision", ["fp32", "int8", "binary", "binary-only"])
def test_the_stages_are_the_request(make_bundle: MakeBundle, precision: str) -> None:
    """Answering stage by stage gives what recommend() gives, to the bit, for short, long and partly unknown histories."""
    with Recommender.open(make_bundle(precision=precision)) as recommender:
        for history in [*HISTORIES, History(("i1", "unknown"))]:
            answer, parts = answer_in_stages(recommender, history.events, k=7)
            assert answer == tuple(recommender.recommend(history.events, k=7))
            assert len(parts) == len(STAGES)
            assert min(parts) >= 0


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
        assert [stage.name for stage in result.stages.parts] == list(STAGES)
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
    with Recommender.open(make_bundle()) as recommender:
        assert len(Replay(recommender, [("i1",), (), ("unknown",)], k=3).histories) == 1
        with pytest.raises(MeasurementError, match="none of the 2 histories"):
            Replay(recommender, [(), ("unknown",)], k=3)


def test_a_runtime_whose_stages_changed_is_noticed(make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """If recommend() does something that the stages do not, the measurement stops instead of timing something else."""
    with Recommender.open(make_bundle()) as recommender:
        replay = Replay(recommender, [HISTORIES[3].events], k=3)
        honest = recommender.recommend
        monkeypatch.setattr(recommender, "recommend", lambda history, k: honest(history, k=k + 1))
        with pytest.raises(MeasurementError, match="the stages of a request gave"):
            replay.warm_up(1)


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
