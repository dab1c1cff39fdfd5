"""Retrievers that take features of the context beside the history, in both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx_ir
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_rec_converters.targets import emitter
from edge_rec_runtime import Feature, Recommender
from edge_rec_runtime.errors import BundleError, RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MakeBundle = Callable[..., Path]
FEATURES = (
    Feature("age", "category", "context", ("18", "25")),
    Feature("tags", "categories", "context", ("new", "old", "odd"), 12),
    Feature("hour", "number", "context"),
)
DIMS = 16
SOURCE = np.random.default_rng(2)
TABLES = {name: SOURCE.normal(size=(size, DIMS)).astype(np.float32) for name, size in (("age", 3), ("tags", 4), ("hour", 1))}
TABLES["tags"][0] = 0
CONTEXT = {"age": "25", "tags": ["odd", "new"], "hour": 2.5}
HISTORY = ["i3", "i14", "i15"]


def graph_with_context(mean_graph: bytes) -> bytes:
    """Return the encoder of the mean, to whose query it adds a vector for each feature."""
    model = onnx.load_from_string(mean_graph)
    graph = model.graph
    graph.node[-1].output[0] = "history_query"
    inputs: dict[str, tuple[int, list[str]]] = {
        "age": (TensorProto.INT32, ["batch"]),
        "tags": (TensorProto.INT32, ["batch", "words"]),
        "hour": (TensorProto.FLOAT, ["batch"]),
    }
    graph.input.extend(helper.make_tensor_value_info(name, *shape) for name, shape in inputs.items())
    graph.initializer.extend(numpy_helper.from_array(table, f"{name}_table") for name, table in TABLES.items())
    graph.node.extend(
        [
            helper.make_node("Gather", ["age_table", "age"], ["age_vector"]),
            helper.make_node("Gather", ["tags_table", "tags"], ["tags_vectors"]),
            helper.make_node("ReduceSum", ["tags_vectors", "axis"], ["tags_vector"], keepdims=0),
            helper.make_node("Unsqueeze", ["hour", "axis"], ["hour_column"]),
            helper.make_node("Mul", ["hour_column", "hour_table"], ["hour_vector"]),
            helper.make_node("Add", ["history_query", "age_vector"], ["one"]),
            helper.make_node("Add", ["one", "tags_vector"], ["two"]),
            helper.make_node("Add", ["two", "hour_vector"], ["query"]),
        ]
    )
    return bytes(model.SerializeToString())


@pytest.fixture
def both(mean_graph: Callable[..., bytes]) -> dict[str, bytes]:
    """Return the graph for both targets."""
    graph = graph_with_context(mean_graph(np.eye(DIMS, dtype=np.float32)))
    return {"onnx": graph, "tflite": emitter("tflite")(onnx_ir.from_proto(onnx.load_from_string(graph)))}


@pytest.fixture(params=["onnxruntime", "litert"])
def recommender(request: pytest.FixtureRequest, make_bundle: MakeBundle, both: dict[str, bytes]) -> Iterator[Recommender]:
    """Yield a recommender with context features in each engine."""
    path = make_bundle(encoders=both, features=FEATURES)
    with Recommender.open(path, backend=request.param, verify="full") as opened:
        yield opened


def expected_query(recommender: Recommender, history: list[str], context: dict[str, Any]) -> NDArray[np.float32]:
    """Return the query that the graph computes."""
    rows, _ = recommender.lookup(history)
    query = recommender.bundle.table("items").decode(rows).mean(axis=0) + context["hour"] * TABLES["hour"][0]
    for name in ("age", "tags"):
        words = [context[name]] if name == "age" else context[name]
        vocabulary = next(one.vocabulary for one in FEATURES if one.name == name)
        query = query + TABLES[name][[vocabulary.index(one) + 1 if one in vocabulary else 0 for one in words]].sum(axis=0)
    return np.asarray(query, np.float32)


@pytest.mark.parametrize(
    "context", [CONTEXT, {"age": "99", "tags": [], "hour": 0}, {"age": "18", "tags": ["old"] * 10 + ["new"], "hour": -1}]
)
def test_the_context_reaches_the_query(recommender: Recommender, context: dict[str, Any]) -> None:
    """Words, lists in the length of their bucket and numbers enter the query as they are defined; so do answers and scores."""
    rows, _ = recommender.lookup(HISTORY)
    inputs = recommender.gather(rows, context)
    expected = expected_query(recommender, HISTORY, context)
    np.testing.assert_allclose(recommender.encode(*inputs)[0], expected, rtol=1e-4, atol=1e-5)
    assert inputs[3].shape == (1, 8 if len(context["tags"]) <= 8 else 12)
    answer = recommender.recommend(HISTORY, k=60, context=context)
    scores = recommender.bundle.table("items").scores(expected)
    np.testing.assert_allclose([one.score for one in answer], scores[recommender.lookup(answer.ids)[0]], rtol=1e-3, atol=1e-4)
    assert recommender.score(HISTORY, answer.ids, context=context).tolist() == [one.score for one in answer]
    assert answer.ignored == (("age=99",) if context["age"] == "99" else ())


def test_a_context_is_asked_for_by_name(recommender: Recommender) -> None:
    """Without one, or with one that lacks a name, the message lists what the model takes; also where popularity would answer."""
    for history in (HISTORY, []):
        with pytest.raises(RequestError, match=r"lacks age, tags, hour; this model needs age \(category\)"):
            recommender.recommend(history)
        with pytest.raises(RequestError, match="lacks tags"):
            recommender.score(history, ["i1"], context={"age": "18", "hour": 1})
    answer = recommender.recommend([], k=1, context=CONTEXT | {"age": "99"})
    assert (answer.fallback, answer.ignored) == (True, ("age=99",))


def test_a_retriever_takes_no_features_of_items(make_bundle: MakeBundle) -> None:
    """Its items are their vectors; the writer refuses what a reader would."""
    feature = Feature("genre", "category", "item", ("Drama",))
    with pytest.raises(BundleError, match="expected 'context'"):
        make_bundle(features=(feature,), item_values={"genre": np.ones(60, np.int32)})
