"""Engines: which is chosen, what is said where there is none, and that they agree."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnx_ir
import pytest

from edge_rec_converters.targets import emitter
from edge_rec_runtime import Recommender
from edge_rec_runtime.backends import BACKENDS, installed
from edge_rec_runtime.errors import BackendError, DependencyError, RequestError

MakeBundle = Callable[..., Path]
WEIGHTS = np.random.default_rng(5).normal(size=(16, 16)).astype(np.float32)
HISTORIES = [[f"i{(start * step) % 60}" for step in range(1, length)] for start, length in ((1, 2), (7, 9), (11, 18), (13, 50))]


@pytest.fixture(scope="module")
def graphs(mean_graph: Callable[..., bytes]) -> dict[str, bytes]:
    """Return one encoder for both targets."""
    graph = mean_graph(WEIGHTS)
    return {"onnx": graph, "tflite": emitter("tflite")(onnx_ir.from_proto(onnx.load_from_string(graph)))}


@pytest.fixture
def both(make_bundle: MakeBundle, graphs: dict[str, bytes]) -> Iterator[tuple[Recommender, Recommender]]:
    """Yield one bundle opened with each engine."""
    path = make_bundle(encoders=graphs)
    with Recommender.open(path, backend="onnxruntime") as left, Recommender.open(path, backend="litert") as right:
        yield left, right


def test_engines_agree(both: tuple[Recommender, Recommender]) -> None:
    """One bundle with two graphs gives the same items in both, through every bucket of lengths and back."""
    left, right = both
    assert (left.backend, right.backend) == ("onnxruntime", "litert")
    for history in HISTORIES + HISTORIES[::-1]:
        first, second = left.recommend(history), right.recommend(history)
        assert first.ids == second.ids
        np.testing.assert_allclose([one.score for one in first], [one.score for one in second], rtol=1e-5)


def test_histories_are_padded_only_for_an_engine_that_plans_shapes(both: tuple[Recommender, Recommender]) -> None:
    """LiteRT gets the bucket's length, zeros after the events; ONNX Runtime gets the events alone."""
    rows = np.arange(5)
    for recommender, length in zip(both, (5, 8), strict=True):
        vectors, mask = recommender.gather(rows)
        assert vectors.shape[:2] == mask.shape == (1, length)
        assert mask.tolist() == [[1] * 5 + [0] * (length - 5)]
        assert not vectors[0, 5:].any()
        assert np.array_equal(vectors[0, :5], recommender.exact.decode(rows))


def test_an_interpreter_is_shared_by_threads_in_turn(both: tuple[Recommender, Recommender]) -> None:
    """Threads that ask LiteRT for different lengths at once get what they would get alone."""
    for recommender in both:
        expected = [recommender.recommend(history) for history in HISTORIES]
        with ThreadPoolExecutor(4) as pool:
            for _ in range(10):
                assert list(pool.map(recommender.recommend, HISTORIES)) == expected


def test_queries_are_copies(both: tuple[Recommender, Recommender]) -> None:
    """A query stays what it was when the next one is computed."""
    for recommender in both:
        first, second = (recommender.gather(recommender.lookup(history)[0]) for history in HISTORIES[:2])
        query = recommender.encode(*first)
        kept = query.copy()
        recommender.encode(*second)
        recommender.encode(*first)
        assert np.array_equal(query, kept)


def test_auto_takes_what_the_bundle_has(make_bundle: MakeBundle, graphs: dict[str, bytes]) -> None:
    """An engine is chosen by the graphs in the bundle, the registry's order deciding between them."""
    assert set(installed()) >= {"onnxruntime", "litert"}
    for encoders, expected in (
        (graphs, "onnxruntime"),
        ({"onnx": graphs["onnx"]}, "onnxruntime"),
        ({"tflite": graphs["tflite"]}, "litert"),
    ):
        with Recommender.open(make_bundle(encoders=encoders)) as recommender:
            assert recommender.backend == expected


def test_a_backend_that_does_not_fit_is_named(make_bundle: MakeBundle, graphs: dict[str, bytes]) -> None:
    """A graph that is not in the bundle, a name that is no backend, and no threads are each one sentence."""
    path = make_bundle(encoders={"onnx": graphs["onnx"]})
    with pytest.raises(BackendError, match=r"runs tflite graphs, and this bundle has onnx; convert it with --to tflite"):
        Recommender.open(path, backend="litert")
    with pytest.raises(RequestError, match="did you mean 'onnxruntime'"):
        Recommender.open(path, backend="onnx-runtime")
    with pytest.raises(RequestError, match="threads is 0"):
        Recommender.open(path, threads=0)
    with pytest.raises(DependencyError, match="missing encoder"):
        Recommender.open(make_bundle(encoders={}))


@pytest.mark.parametrize(("target", "extra"), [("onnx", "onnx"), ("tflite", "litert")])
def test_a_missing_engine_is_told_how_to_install(
    make_bundle: MakeBundle, graphs: dict[str, bytes], target: str, extra: str
) -> None:
    """In a process without engines both ``auto`` and a name give the pip command, and exit with the code for it."""
    path = make_bundle(encoders={target: graphs[target]})
    hide = "import sys; sys.modules.update(onnxruntime=None, ai_edge_litert=None, tflite_runtime=None)"
    code = f"{hide}; from edge_rec.cli import main; main()"
    for backend in ("auto", *(name for name, one in BACKENDS.items() if one.extra == extra)):
        command = [sys.executable, "-c", code, "recommend", str(path), "--history", "i1", "--backend", backend]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert f"pip install 'edge-rec[{extra}]'" in result.stderr
        assert result.returncode == DependencyError.exit_code
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize("target", ["onnx", "tflite"])
@pytest.mark.parametrize("content", [b"", b"junk", b"\x08\x09" * 50])
def test_a_graph_that_is_none_is_refused(make_bundle: MakeBundle, target: str, content: bytes) -> None:
    """Bytes that are no graph are the engine's to refuse, and ours to say in one sentence."""
    with pytest.raises(BackendError, match="cannot load the encoder"):
        Recommender.open(make_bundle(encoders={target: content}))


def test_a_graph_with_other_inputs_is_refused(make_bundle: MakeBundle, graphs: dict[str, bytes]) -> None:
    """An encoder takes vectors and a mask and gives a query; names are compared at opening, in both engines."""
    model = onnx.load_from_string(graphs["onnx"])
    model.graph.input[0].name = "ids"
    model.graph.node[1].input[0] = "ids"
    for target, graph in (("onnx", model.SerializeToString()), ("tflite", emitter("tflite")(onnx_ir.from_proto(model)))):
        with pytest.raises(BackendError, match=r"expected vectors \(float32\), mask \(float32\) and query"):
            Recommender.open(make_bundle(encoders={target: graph}))


def test_an_encoder_of_another_width_is_refused(make_bundle: MakeBundle, graphs: dict[str, bytes]) -> None:
    """A graph whose vectors are wider than the table's fails in one sentence in both engines."""
    for target, graph in graphs.items():
        path = make_bundle(encoders={target: graph}, dims=12)
        with Recommender.open(path) as recommender, pytest.raises(BackendError, match="encoder on"):
            recommender.recommend(["i1"])
