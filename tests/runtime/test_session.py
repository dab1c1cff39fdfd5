"""A session answers as the whole history does, whether the encoder goes on from what it remembers or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rewriting import with_manifest
from step_graphs import mean_state, mean_steps

from edge_rec_runtime import Bundle, Recommender
from edge_rec_runtime.bundle import Steps
from edge_rec_runtime.errors import BackendError, BundleError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import MakeBundle
    from numpy.typing import NDArray

DIMS, LONGEST = 16, 20
FUZZ = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
IDS = st.sampled_from([f"i{row}" for row in range(60)] + ["unknown"])


@pytest.fixture
def encoder(mean_graph: Callable[[NDArray[np.float32]], bytes]) -> bytes:
    """An encoder with a drawn matrix."""
    return mean_graph(np.random.default_rng(8).normal(size=(DIMS, DIMS)).astype(np.float32))


@pytest.fixture(params=["steps", "none"])
def recommender(request: pytest.FixtureRequest, make_bundle: MakeBundle, encoder: bytes) -> Recommender:
    """Open a bundle that can go on from what its encoder remembers, and one that cannot."""
    steps = mean_steps(encoder) if request.param == "steps" else None
    return Recommender.open(make_bundle(encoders={"onnx": encoder}, steps=steps, max_length=LONGEST), verify="full")


@given(st.lists(st.lists(IDS, max_size=9), max_size=8), st.booleans())
@FUZZ
def test_a_session_answers_as_the_whole_history(recommender: Recommender, parts: list[list[str]], seen: bool) -> None:  # noqa: FBT001 - drawn
    """Event by event or several at once, unknown and repeated ones, within the window and beyond."""
    session, history = recommender.session(), []
    for part in parts:
        session.add(*part)
        history += part
        found = session.recommend(7, exclude_seen=seen, exclude=["i3"], where={"genres": "Drama"})
        wanted = recommender.recommend(history, k=7, exclude_seen=seen, exclude=["i3"], where={"genres": "Drama"})
        assert (found.ids, found.ignored, found.fallback) == (wanted.ids, wanted.ignored, wanted.fallback)
        np.testing.assert_allclose([one.score for one in found], [one.score for one in wanted], rtol=1e-4, atol=1e-4)
        assert len(session) == len([one for one in history if one != "unknown"])


def test_it_says_whether_an_event_costs_its_own_work(recommender: Recommender) -> None:
    """It does until the window is full, and never where the bundle has no graph for it."""
    session = recommender.session([f"i{row}" for row in range(LONGEST - 1)])
    steps = recommender.bundle.manifest.steps is not None
    assert session.incremental == steps
    session.add("i30")
    assert not session.incremental
    assert session.recommend().ids == recommender.recommend([*(f"i{row}" for row in range(LONGEST - 1)), "i30"]).ids


def test_an_event_does_not_encode_the_history_again(recommender: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    """With steps the encoder is never asked inside the window; what was answered is not computed again."""
    if recommender.bundle.manifest.steps is None:
        pytest.skip("this bundle has no steps")
    wanted = recommender.recommend(["i1", "i2", "i3"]).ids
    monkeypatch.setattr(recommender, "encode", None)
    session = recommender.session(["i1"])
    session.recommend()
    session.add("i2")
    session.add("i3")
    assert session.recommend().ids == wanted
    assert session.query() is session.query()


def test_sessions_do_not_touch_each_other(recommender: Recommender) -> None:
    """Several of one recommender, in turn."""
    first, second = recommender.session(["i1"]), recommender.session(["i9", "i8"])
    for item in ("i4", "i5"):
        first.add(item)
        second.add(item)
        first.recommend()
        second.recommend()
    assert first.recommend().ids == recommender.recommend(["i1", "i4", "i5"]).ids
    assert second.recommend().ids == recommender.recommend(["i9", "i8", "i4", "i5"]).ids


def test_wrong_requests_are_refused_and_change_nothing(recommender: Recommender) -> None:
    """A k of 0, an item that is no text, a context that the model does not take; a closed recommender."""
    session = recommender.session(["i1"])
    for wrong, say in (
        (lambda: session.recommend(0), "k is 0"),
        (lambda: session.add("i2", 3), "holds 3"),  # type: ignore[arg-type]  # on purpose
        (lambda: recommender.session("i1"), "expected a list"),
        (lambda: recommender.session(["unknown"]).query(), "no known event yet"),
        (lambda: recommender.session(context={"age": "25"}), "takes no context"),
    ):
        with pytest.raises(RequestError, match=say):
            wrong()
    assert session.recommend().ids == recommender.recommend(["i1"]).ids
    recommender.close()
    for wrong in (lambda: session.add("i2"), session.recommend, recommender.session):
        with pytest.raises(RequestError, match="closed"):
            wrong()


@pytest.mark.parametrize(
    ("steps", "say"),
    [
        ({"outputs": ("query", "new.kept")}, "outputs query .* expected .*new.count"),
        ({"times": float("nan")}, "perhaps with NaN"),
    ],
)
def test_a_step_graph_that_is_none_is_refused(make_bundle: MakeBundle, encoder: bytes, steps: dict[str, Any], say: str) -> None:
    """In one sentence, when a session is asked; whole histories are answered all the same."""
    path = make_bundle(encoders={"onnx": encoder}, steps=mean_steps(encoder, **steps))
    with Recommender.open(path) as recommender:
        assert len(recommender.recommend(["i1"])) == 10
        with pytest.raises(BackendError, match=say):
            recommender.session(["i1"]).recommend()


def test_a_state_of_another_width_is_refused(make_bundle: MakeBundle, encoder: bytes) -> None:
    """The manifest says how wide a state is, and the graph must give it so."""
    made = mean_steps(encoder)
    wide = Steps(state=(mean_state(DIMS + 1)[0], made.state[1]), graphs=made.graphs)
    with (
        Recommender.open(make_bundle(encoders={"onnx": encoder}, steps=wide)) as recommender,
        pytest.raises(BackendError, match="step"),
    ):
        recommender.session(["i1"]).recommend()


def test_only_bundles_with_steps_need_version_3(make_bundle: MakeBundle, encoder: bytes) -> None:
    """Older runtimes go on reading what they can, and refuse the rest by its number."""
    for steps, version in ((None, 1), (mean_steps(encoder), 3)):
        path = make_bundle(encoders={"onnx": encoder}, steps=steps)
        with Bundle.open(path, verify="full") as bundle:
            assert b'"schema_version": %d' % version in bundle.manifest.render()
            assert ("step.onnx" in bundle.members) == (steps is not None)
            assert bundle.manifest.model_bytes == sum(
                size - (128 if name.endswith(".npy") else 0)
                for name, size in bundle.members.items()
                if name.startswith(("encoder", "step", "tables"))
            )


@pytest.mark.parametrize(
    "change",
    [
        lambda steps: steps.update(state=[]),
        lambda steps: steps["state"].append(steps["state"][0]),
        lambda steps: steps["state"][0].update(name="vectors"),
        lambda steps: steps["state"][0].update(width=0),
        lambda steps: steps["state"][0].update(width=1 << 17),
        lambda steps: steps["state"][0].update(per_event=1),
        lambda steps: steps["graphs"].clear(),
        lambda steps: steps["graphs"].update(tflite="step.onnx"),
        lambda steps: steps["graphs"].update(onnx="elsewhere.onnx"),
        lambda steps: steps["graphs"].update(onnx=7),
    ],
)
def test_a_manifest_that_says_nonsense_of_steps_is_refused(
    make_bundle: MakeBundle, encoder: bytes, change: Callable[[dict[str, Any]], object]
) -> None:
    """Whatever does not fit is named before anything is allocated or run."""
    path = make_bundle(encoders={"onnx": encoder}, steps=mean_steps(encoder))
    with pytest.raises(BundleError):
        Bundle.open(with_manifest(path, lambda manifest: change(manifest["steps"])))


def test_a_state_that_no_device_could_hold_is_refused(make_bundle: MakeBundle, encoder: bytes) -> None:
    """A window of a million events times a wide state is an attack, or damage."""
    path = make_bundle(encoders={"onnx": encoder}, steps=mean_steps(encoder))

    def change(manifest: dict[str, Any]) -> None:
        manifest["inputs"]["max_length"] = 1_000_000
        manifest["steps"]["state"][0]["width"] = 65_536

    with pytest.raises(BundleError, match="would remember 65536000001 values"):
        Bundle.open(with_manifest(path, change))


def test_version_2_does_not_know_steps(make_bundle: MakeBundle, encoder: bytes) -> None:
    """There the key is skipped like any unknown one, and the member that it would name is one too many."""
    path = make_bundle(encoders={"onnx": encoder}, steps=mean_steps(encoder))
    with pytest.raises(BundleError, match="name different members"):
        Bundle.open(with_manifest(path, lambda manifest: manifest.update(schema_version=2)))


def test_the_step_graph_reads_its_weights_from_the_encoder(make_bundle: MakeBundle, encoder: bytes, tmp_path: Path) -> None:
    """Also where the encoder is stored without its zeros: offsets are into the whole file."""
    padded = encoder + b"\xfa\x01" + b"\x80\x40" + bytes(8192)  # an unknown field of zeros, which readers skip
    path = make_bundle(encoders={"onnx": padded}, steps=mean_steps(encoder))
    with Recommender.open(path) as recommender:
        assert recommender.bundle.manifest.encoder_members["onnx"].endswith(".packed")
        assert recommender.session(["i1", "i2"]).recommend().ids == recommender.recommend(["i1", "i2"]).ids
