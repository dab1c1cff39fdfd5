"""A bundle with the whole retriever as one graph: made on request, judged by its own engine, refused where it is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
import torch
from mean_models import ITEMS, MeanEncoder, histories_of, source_of
from onnx import TensorProto, helper, numpy_helper

from edge_rec_converters import convert, prepare, verify
from edge_rec_converters.kinds import Order
from edge_rec_converters.verification.graph_record import GraphFindings, judge
from edge_rec_runtime import Bundle, BundleContents, Feature, Precision, Recommender, write_bundle
from edge_rec_runtime.bundle import RetrieverGraphs
from edge_rec_runtime.errors import BackendError, ConversionError, VerificationError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_converters import Prepared

INT8 = Precision.parse("int8")


def _draft(prepared: Prepared, target: str = "onnx", k: int = 20, precision: str = "fp32") -> BundleContents:
    order = Order(target=target, precision=Precision.parse(precision), graph="retriever", graph_k=k)
    return prepared.complete(prepared.drafts(order)[0], order)


def _with_graph(prepared: Prepared, path: Path, graph: bytes, *, k: int = 20) -> Path:
    """Write an fp32 bundle with another retriever graph than its own."""
    write_bundle(path, replace(_draft(prepared), retriever=RetrieverGraphs(k=k, graphs={"onnx": graph})))
    return path


@pytest.mark.parametrize("target", ["onnx", "tflite"])
@pytest.mark.parametrize("precision", ["fp32", "int8", "items=int4,network=fp16", "binary", "binary-only"])
def test_the_graph_is_made_and_judged(prepared: Prepared, tmp_path: Path, target: str, precision: str) -> None:
    """Its verdict stands in the manifest, and its bytes beside those of the model and not among them."""
    asked = Precision.parse(precision)
    path, plain = tmp_path / "with", tmp_path / "without"
    made = convert(prepared, target=target, precision=asked, output=path, graph="retriever", graph_k=30)
    before = convert(prepared, target=target, precision=asked, output=plain)
    found = made.verification.retriever[target]
    assert (made.graph_k, found.k, found.histories, found.passed) == (30, 30, 60, True)
    assert found.same_items >= 0.98
    assert found.overlap_at_10 == pytest.approx(made.verification.overlap_at_10, abs=0.02)
    assert (before.graph_k, before.verification.retriever) == (None, {})
    assert made.model_bytes == before.model_bytes
    with Bundle.open(path, verify="full") as bundle:
        assert len(bundle.retriever_graph(target)) == found.bytes
        told = bundle.manifest.verification["retriever"][target]
        assert (told["passed"], told["overlap_at_10"]) == (True, pytest.approx(found.overlap_at_10, abs=1e-6))
    with Bundle.open(plain) as bundle:
        assert "retriever" not in bundle.manifest.verification
    assert verify(path, prepared).retriever[target] == found


def test_the_graph_answers_as_the_bundle(prepared: Prepared, tmp_path: Path) -> None:
    """Taken out of the bundle and run by ONNX Runtime alone, for histories of real users."""
    path = tmp_path / "m"
    convert(prepared, target="onnx", precision=INT8, output=path, graph="retriever")
    with Recommender.open(path) as opened:
        session = onnxruntime.InferenceSession(opened.bundle.retriever_graph("onnx"))
        for history in histories_of(9, seed=5):
            rows, _ = opened.lookup(history.events)
            [items] = session.run(["items"], {"history": rows[None].astype(np.int32)})
            assert items[0, :10].tolist() == opened.lookup(opened.recommend(history.events).ids)[0].tolist()


def test_the_same_input_gives_the_same_bytes(prepared: Prepared, tmp_path: Path) -> None:
    """Also with a graph, and also of the verdict on it."""
    for name in ("a", "b"):
        convert(prepared, target="tflite", precision=INT8, output=tmp_path / name, graph="retriever")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_k_beyond_the_items_is_all_of_them(prepared: Prepared, tmp_path: Path) -> None:
    """The catalogue has no more; the manifest says how many an answer holds."""
    made = convert(prepared, target="onnx", precision=Precision(), output=tmp_path / "m", graph="retriever", graph_k=10_000)
    assert made.graph_k == ITEMS
    assert made.verification.passed
    short = convert(prepared, target="onnx", precision=Precision(), output=tmp_path / "m", graph="retriever", graph_k=3)
    assert (short.graph_k, short.verification.retriever["onnx"].same_items) == (3, 1.0)


@pytest.mark.parametrize(
    ("graph", "k", "message"),
    [
        ("encoder", 10, "graph 'encoder' is not known; use 'retriever'"),
        ("retriever", 0, "graph_k is 0; an answer of a retriever graph holds at least 1 item"),
        ("retriever", -1, "graph_k is -1"),
    ],
)
def test_odd_requests_are_refused_first(prepared: Prepared, tmp_path: Path, graph: str, k: int, message: str) -> None:
    """Nothing is written."""
    with pytest.raises(ConversionError, match=message):
        convert(prepared, target="onnx", precision=INT8, output=tmp_path / "m", graph=graph, graph_k=k)
    assert list(tmp_path.iterdir()) == []


def test_codes_without_a_form_in_a_graph_are_refused(prepared: Prepared, tmp_path: Path) -> None:
    """Product codes, before any are learnt; the sentence says what there is."""
    with pytest.raises(ConversionError, match="items=pq has no form"):
        prepared.require(Order(target="onnx", precision=Precision.parse("items=pq"), graph="retriever"))
    with pytest.raises(ConversionError, match=r"items=pq has no form in a retriever graph.*use one of fp32"):
        convert(prepared, target="onnx", precision=Precision.parse("items=pq"), output=tmp_path / "m", graph="retriever")
    assert list(tmp_path.iterdir()) == []


def test_another_models_graph_is_refused(prepared: Prepared, tmp_path: Path) -> None:
    """It opens and answers, and answers otherwise: overlap and agreement with the runtime both say so."""
    torch.manual_seed(5)
    other = prepare(source_of(MeanEncoder(), seed=3), histories_of(20))
    graph = _draft(other).retriever
    assert graph is not None
    found = verify(_with_graph(prepared, tmp_path / "m", graph.graphs["onnx"]), prepared)
    assert not found.passed
    assert found.overlap_at_10 == 1.0  # the bundle itself is right
    sentences = " ".join(found.failures)
    assert "overlap@10 of the onnx retriever graph with the source is 0." in sentences
    assert "otherwise than the runtime" in sentences


def test_a_graph_that_none_can_open_is_refused_in_a_sentence(prepared: Prepared, tmp_path: Path) -> None:
    """Not with what the engine says over a page."""
    with pytest.raises(BackendError, match=r"onnxruntime cannot open the retriever graph \(.*; convert it in another"):
        verify(_with_graph(prepared, tmp_path / "m", b"no graph"), prepared)


def _constant(item: NDArray[Any], score: NDArray[Any], shape: tuple[str, ...] = ("batch", "k")) -> bytes:
    """Return a graph that answers the same to everybody."""
    types = {name: helper.np_dtype_to_tensor_dtype(one.dtype) for name, one in (("items", item), ("scores", score))}
    graph = helper.make_graph(
        [
            helper.make_node("Shape", ["history"], ["batch"], start=0, end=1),
            helper.make_node("Concat", list(shape), ["shape"], axis=0),
            helper.make_node("Expand", ["item", "shape"], ["items"]),
            helper.make_node("Expand", ["score", "shape"], ["scores"]),
        ],
        "constant",
        [helper.make_tensor_value_info("history", TensorProto.INT32, ["batch", "length"])],
        [helper.make_tensor_value_info(name, dtype, [None] * len(shape)) for name, dtype in types.items()],
        [numpy_helper.from_array(one, name) for name, one in (("k", np.array([20])), ("item", item), ("score", score))],
    )
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString())


@pytest.mark.parametrize(("item", "score"), [(ITEMS + 7, 1.0), (-1, 1.0), (3, np.nan), (3, 1.0)])
def test_a_constant_answer_is_refused(prepared: Prepared, tmp_path: Path, item: int, score: float) -> None:
    """Rows that do not exist, no rows, scores that are no numbers, and the same item for everybody."""
    graph = _constant(np.array(item, np.int32), np.array(score, np.float32))
    found = verify(_with_graph(prepared, tmp_path / "m", graph), prepared, gate=0)
    assert len(found.failures) == 3
    for part in ("100.0% of 60 histories otherwise", "in a batch", "a history without known items"):
        assert any(part in failure for failure in found.failures)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (_constant(np.array(3), np.array(1, np.float32)), r"items int64 \[7, 20\]"),
        (_constant(np.array(3, np.int32), np.array(1, np.float64)), r"scores float64"),
        (_constant(np.array(3, np.int32), np.array(1, np.float32), ("k",)), r"items int32 \[20\]"),
    ],
)
def test_answers_of_another_form_are_refused(prepared: Prepared, tmp_path: Path, graph: bytes, message: str) -> None:
    """An app reads int32 and float32, a row a history."""
    with pytest.raises(BackendError, match=rf"the onnx retriever graph gives .*{message}.*; expected int32"):
        verify(_with_graph(prepared, tmp_path / "m", graph), prepared)


def test_a_bundle_with_a_bad_graph_is_not_written(prepared: Prepared, tmp_path: Path) -> None:
    """A gate that the graph fails leaves the folder as it was."""
    with pytest.raises(VerificationError, match="overlap@10 of the onnx retriever graph with the source"):
        convert(prepared, target="onnx", precision=INT8, output=tmp_path / "m", graph="retriever", gate=0.9999)
    assert list(tmp_path.iterdir()) == []


def test_a_sample_fails_only_where_its_interval_does() -> None:
    """What chance explains is no fault; one of a few histories that rounding moved proves nothing either."""
    found = GraphFindings(
        backend="onnxruntime",
        k=9,
        bytes=9,
        histories=40,
        overlap_at_10=0.96,
        overlap_at_10_ci=(0.95, 0.98),
        same_items=1,
        apart=1 / 40,
    )
    given = {"target": "onnx", "gate": 0.97, "batch_apart": 1, "fallback": True}
    assert judge(found, sampled=True, **given).passed
    assert not judge(found, sampled=False, **given).passed
    assert not judge(replace(found, apart=2 / 40), sampled=True, **given).passed
    assert not judge(replace(found, overlap_at_10_ci=(0.9, 0.969)), sampled=True, **given).passed


def test_a_model_that_takes_context_has_it_as_inputs(tmp_path: Path) -> None:
    """They stand beside the history, and are asked with what the histories bring."""

    class WithHour(MeanEncoder):
        def forward(self, vectors: torch.Tensor, mask: torch.Tensor, hour: torch.Tensor) -> torch.Tensor:
            return super().forward(vectors, mask) * (1 + hour.unsqueeze(-1) * torch.arange(32.0))

    torch.manual_seed(0)
    source = source_of(WithHour(), context=(Feature("hour", "number", "context"),))
    users = [replace(one, context={"hour": place / 7}) for place, one in enumerate(histories_of(30))]
    prepared = prepare(source, users)
    for target in ("onnx", "tflite"):
        made = convert(prepared, target=target, precision=Precision(), output=tmp_path / "m", graph="retriever", graph_k=12)
        assert made.verification.retriever[target].same_items == 1.0
