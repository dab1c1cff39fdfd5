"""The bundle of schema version 4 that is kept: a retriever as one graph for both targets; read, run and written the same."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter

from edge_rec_runtime import Bundle, BundleContents, Catalogue, Int8Table, Precision, Recommender, write_bundle
from edge_rec_runtime.bundle import RetrieverGraphs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

GOLDEN = Path(__file__).parent / "golden"
ROWS, DIMS, K = 24, 16, 10


def golden_contents(encoders: Mapping[str, bytes], graphs: Mapping[str, bytes]) -> BundleContents:
    """Return what the kept bundle holds: vectors of small whole numbers, so that no machine rounds them differently."""
    row, column = np.mgrid[:ROWS, :DIMS]
    vectors = ((row * 41 + column * 89 + row * column * 17) % 127 - 63).astype(np.float32) / 64
    return BundleContents(
        name="golden",
        precision=Precision.parse("items=int8"),
        encoders=encoders,
        retriever=RetrieverGraphs(k=K, graphs=graphs),
        tables={"items": Int8Table.encode(vectors)},
        catalogue=Catalogue(tuple(f"id {one}" for one in range(ROWS)), popularity=(np.arange(ROWS, dtype=np.uint32) * 7) % 19),
        max_length=6,
    )


def run(target: str, graph: bytes, history: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Run a retriever graph as an app does, with its engine alone."""
    if target == "onnx":
        items, scores = onnxruntime.InferenceSession(graph).run(["items", "scores"], {"history": history})
        return items, scores
    found = Interpreter(model_content=graph).get_signature_runner()(history=history)
    return found["items"], found["scores"]


def test_it_answers_as_it_did() -> None:
    """The recommendations that were written down with it are still the ones it gives."""
    expected = json.loads((GOLDEN / "v4.json").read_text())
    with Recommender.open(GOLDEN / "v4.edgerec", verify="full") as recommender:
        assert recommender.bundle.manifest.retriever is not None
        assert recommender.bundle.manifest.retriever.k == K
        for one in expected["requests"]:
            answer = recommender.recommend(one["history"], k=K)
            assert answer.ids == tuple(one["ids"])
            np.testing.assert_allclose([item.score for item in answer], one["scores"], rtol=1e-5)


@pytest.mark.parametrize("target", ["onnx", "tflite"])
def test_its_graph_answers_as_the_runtime_does(target: str) -> None:
    """Short and long histories, none at all, unknown items as -1 wherever they stand; and fewer items left than k."""
    expected = json.loads((GOLDEN / "v4.json").read_text())
    with Recommender.open(GOLDEN / "v4.edgerec") as recommender:
        graph = recommender.bundle.retriever_graph(target)
        for one in expected["requests"]:
            rows = [int(item.removeprefix("id ")) if item.startswith("id ") else -1 for item in one["history"]]
            items, scores = run(target, graph, np.array([rows + [-1] * 2], np.int32))
            count = len(one["ids"])
            assert [f"id {row}" for row in items[0, :count]] == one["ids"]
            np.testing.assert_allclose(scores[0, :count], one["scores"], rtol=1e-5)
            assert items[0, count:].tolist() == [-1] * (K - count)


def test_it_is_written_the_same(tmp_path: Path) -> None:
    """A change of the writer that changes bytes is a change of the format, and needs a new version of it."""
    if zlib.ZLIB_RUNTIME_VERSION.endswith("zlib-ng"):
        pytest.skip("this Python deflates with zlib-ng, whose bytes differ")
    with Bundle.open(GOLDEN / "v4.edgerec") as bundle:
        encoders = {target: bundle.read(member) for target, member in bundle.manifest.encoder_members.items()}
        graphs = {target: bundle.retriever_graph(target) for target in encoders}
        write_bundle(tmp_path / "again.edgerec", golden_contents(encoders, graphs))
    assert (tmp_path / "again.edgerec").read_bytes() == (GOLDEN / "v4.edgerec").read_bytes()
