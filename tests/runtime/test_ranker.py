"""Rankers: candidates of a bundle in the order of their scores, in both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx_ir
import pytest
from onnx import helper

from edge_rec_converters.targets import emitter
from edge_rec_runtime import Bundle, Catalogue, Feature, Ranker, Recommender
from edge_rec_runtime.errors import BackendError, BundleError, RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MakeBundle = Callable[..., Path]
CONTEXT = {"age": "25", "history": ["i3", "i7", "i3"], "hour": 13}


@pytest.fixture(params=["onnxruntime", "litert"])
def ranker(request: pytest.FixtureRequest, make_ranker: MakeBundle) -> Iterator[Ranker]:
    """Yield the small ranker in each engine."""
    path = make_ranker()
    with Bundle.open(path) as bundle:
        graph = bundle.read("ranker.onnx")
    both = {"onnx": graph, "tflite": emitter("tflite")(onnx_ir.from_proto(onnx.load_from_string(graph)))}
    with Ranker.open(make_ranker(encoders=both), backend=request.param, verify="full") as opened:
        yield opened


def expected_logits(ranker: Ranker, inputs: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    """Return the sums that the graph is made of, read from its own weights."""
    model = onnx.load_from_string(ranker.bundle.read("ranker.onnx"))
    weights = {one.name.removesuffix("_weights"): onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    total = np.zeros(len(inputs["item"]))
    for feature in ranker.features:
        values = inputs[feature.name]
        term = values * weights[feature.name] if feature.kind == "number" else weights[feature.name][values]
        total += term.reshape(len(values), -1).sum(axis=1)
    return total


def widened(bundle: Bundle) -> dict[str, NDArray[Any]]:
    """Return the values of items as a graph takes them."""
    return {name: one if one.dtype.kind == "f" else one.astype(np.int32) for name, one in bundle.item_values().items()}


def encoded(ranker: Ranker, rows: NDArray[np.int64], context: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Return the inputs for some rows and one context."""
    values = widened(ranker.bundle)
    return {
        one.name: values[one.name][rows] if one.of == "item" else one.encode([context[one.name]] * len(rows))
        for one in ranker.features
    }


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 40])
def test_candidates_are_ranked_by_their_logits(ranker: Ranker, count: int) -> None:
    """Scores are sigmoids of the graph's sums, best first, for any number of candidates."""
    candidates = [f"i{(row * 7) % 40}" for row in range(count)]
    rows = ranker.catalogue.rows(candidates)[0]
    logits = expected_logits(ranker, encoded(ranker, rows, CONTEXT))
    answer = ranker.rank(candidates, CONTEXT)
    order = np.argsort(-logits, kind="stable")
    assert answer.ids == tuple(candidates[place] for place in order)
    np.testing.assert_allclose([one.score for one in answer], 1 / (1 + np.exp(-logits[order])), rtol=1e-5)
    assert ranker.rank(candidates, CONTEXT, k=3).ids == answer.ids[:3]
    assert (answer.ignored, answer.fallback) == ((), False)


def test_logits_take_many_encoded_rows(ranker: Ranker) -> None:
    """Rows of different contexts in one call, more than go through the engine at once, each get their own logit."""
    source = np.random.default_rng(3)
    rows = source.integers(0, 40, size=600)
    inputs = {one.name: widened(ranker.bundle)[one.name][rows] for one in ranker.features if one.of == "item"}
    inputs["age"] = source.integers(0, 3, 600).astype(np.int32)
    inputs["history"] = np.where(np.arange(11) < source.integers(0, 12, (600, 1)), source.integers(1, 41, (600, 11)), 0)
    inputs["history"] = inputs["history"].astype(np.int32)
    inputs["hour"] = source.normal(size=600).astype(np.float32)
    found = ranker.logits(inputs)
    np.testing.assert_allclose(found, expected_logits(ranker, inputs), rtol=1e-4, atol=1e-5)
    assert found.dtype == np.float32
    alone = ranker.logits({name: values[5:6] for name, values in inputs.items()})
    np.testing.assert_allclose(alone, found[5:6], rtol=1e-5)


def test_what_is_unknown_is_absent_and_listed(ranker: Ranker) -> None:
    """Unknown candidates and words are ignored and named; what is None is absent and no mistake; a candidate counts once."""
    context = {"age": "99", "history": ["nope", "i3"], "hour": 1.5}
    answer = ranker.rank(["i1", "zzz", "i2", "i1"], context)
    assert answer.ignored == ("zzz", "age=99", "history=nope")
    assert answer.items == ranker.rank(["i1", "i2"], {"age": None, "history": ["i3"], "hour": 1.5}).items
    assert ranker.rank(["zzz"], context).items == ()
    assert ranker.rank([], context).items == ()


def test_equal_candidates_keep_the_order_given(make_ranker: MakeBundle) -> None:
    """Ties stand in the order of the candidates, not of the catalogue."""
    with Bundle.open(make_ranker()) as bundle:
        values = {name: np.repeat(one[:1], 40, axis=0) for name, one in widened(bundle).items()}
    with Ranker.open(make_ranker(item_values=values)) as ranker:
        assert ranker.rank(["i9", "i2", "i5"], CONTEXT).ids == ("i9", "i2", "i5")


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (None, r"lacks age, history, hour; this model needs age \(category\), history \(categories\), hour \(number\)"),
        ({"age": "25", "hour": 1}, "lacks history"),
        (CONTEXT | {"agee": 1}, "'agee', which this model does not take.*did you mean 'age'"),
        (CONTEXT | {"hour": "noon"}, r"'hour' \(number\) got 'noon' \(str\); expected a number"),
        (CONTEXT | {"hour": float("nan")}, "expected a finite number"),
        (CONTEXT | {"hour": 1e39}, "expected a finite number"),
        (CONTEXT | {"hour": None}, "expected a number"),
        (CONTEXT | {"age": 2.5}, "expected a word as text"),
        (CONTEXT | {"history": "i3"}, "expected a list of words"),
        ("age=25", "expected values by name"),
    ],
)
def test_a_context_that_does_not_fit_is_one_sentence(make_ranker: MakeBundle, context: Any, message: str) -> None:  # noqa: ANN401
    """Each names the feature, the value and what was expected."""
    with Ranker.open(make_ranker()) as ranker, pytest.raises(RequestError, match=message):
        ranker.rank(["i1"], context)


def test_bad_requests_are_one_sentence(make_ranker: MakeBundle) -> None:
    """A k below 1, ids that are no texts, inputs that are not what features encode to, and a closed ranker."""
    with Ranker.open(make_ranker()) as ranker:
        with pytest.raises(RequestError, match="ask for at least 1"):
            ranker.rank(["i1"], CONTEXT, k=0)
        with pytest.raises(RequestError, match="candidates holds 'i1'"):
            ranker.rank("i1", CONTEXT)
        inputs = encoded(ranker, np.arange(3), CONTEXT)
        for change, message in (
            ({"item": np.array([41, 1, 1], np.int32)}, "indexes from 1 to 41; expected 0 to 40"),
            ({"item": np.array([-1, 1, 1], np.int32)}, "indexes from -1"),
            ({"item": np.ones(3)}, "float64"),
            ({"hour": np.array([1, np.nan, 1], np.float32)}, "NaN"),
            ({"history": np.zeros((3, 30), np.int32)}, "at most 20"),
            ({"history": np.array([[0, 1]] * 3, np.int32)}, "after a 0"),
            ({"age": np.zeros(2, np.int32)}, r"\[2\]; expected int32 \[3\]"),
            ({"year": np.zeros(3, np.int32)}, "this ranker needs item, tags"),
        ):
            with pytest.raises(RequestError, match=message):
                ranker.logits(inputs | change)
    with pytest.raises(RequestError, match="closed"):
        ranker.rank(["i1"], CONTEXT)


def test_kinds_are_not_confused(make_ranker: MakeBundle, make_bundle: MakeBundle) -> None:
    """A ranker recommends nothing and a retriever ranks nothing; each says what opens it."""
    with pytest.raises(RequestError, match="edge-rec rank"):
        Recommender.open(make_ranker())
    with pytest.raises(RequestError, match="edge-rec recommend"):
        Ranker.open(make_bundle())


def test_threads_may_share_a_ranker(ranker: Ranker) -> None:
    """Requests of different sizes at once get what they would get alone."""
    requests = [[f"i{(start * step) % 40}" for step in range(1, 2 + start)] for start in range(1, 30, 3)]
    expected = [ranker.rank(one, CONTEXT) for one in requests]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda one: ranker.rank(one, CONTEXT), requests)) == expected


def test_a_graph_that_gives_no_scores_is_refused(make_ranker: MakeBundle) -> None:
    """NaN, and one logit too few or an axis too many, are the graph's fault and say so; nothing is ranked by them."""
    with Bundle.open(make_ranker()) as bundle:
        model = onnx.load_from_string(bundle.read("ranker.onnx"))
    last = next(node for node in model.graph.node if node.output[0] == "logit")
    last.output[0] = "sum"
    for op in ("Log", "ReduceSum", "Reshape"):
        broken = onnx.ModelProto()
        broken.CopyFrom(model)
        graph = broken.graph
        if op == "Log":
            graph.node.extend([helper.make_node("Neg", ["sum"], ["minus"]), helper.make_node("Abs", ["minus"], ["size"])])
            graph.node.extend([helper.make_node("Neg", ["size"], ["below"]), helper.make_node("Log", ["below"], ["logit"])])
        elif op == "ReduceSum":
            graph.node.append(helper.make_node("ReduceSum", ["sum"], ["logit"]))
        else:
            graph.initializer.append(onnx.numpy_helper.from_array(np.array([-1, 1]), "shape"))
            graph.node.append(helper.make_node("Reshape", ["sum", "shape"], ["logit"]))
        del graph.output[0].type.tensor_type.shape.dim[:]
        graph.output[0].type.tensor_type.ClearField("shape")
        with (
            Ranker.open(make_ranker(encoders={"onnx": broken.SerializeToString()})) as ranker,
            pytest.raises(BackendError, match=r"gave logits .* expected finite \[2\] float32"),
        ):
            ranker.rank(["i1", "i2"], CONTEXT)


def test_a_graph_of_other_inputs_is_refused(make_ranker: MakeBundle, make_bundle: MakeBundle) -> None:
    """Names and dtypes are compared at opening: an encoder is no ranker, and int64 is not int32."""
    with Bundle.open(make_ranker()) as bundle:
        model = onnx.load_from_string(bundle.read("ranker.onnx"))
    with Bundle.open(make_bundle()) as bundle:
        encoder = bundle.read("encoder.onnx")
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    for graph in (model.SerializeToString(), encoder):
        with pytest.raises(BackendError, match=r"the ranker has the inputs .*; expected item \(int32\), tags"):
            Ranker.open(make_ranker(encoders={"onnx": graph}))


@pytest.mark.parametrize(
    ("name", "value"),
    [("item", 41), ("item", 255), ("tags", 9), ("length", np.nan)],
)
def test_values_of_items_that_lie_are_refused_at_use(make_ranker: MakeBundle, name: str, value: float) -> None:
    """Indexes beyond the vocabulary and numbers that are none, in a file whose checksums are right, never reach an engine."""
    path = make_ranker()
    with Bundle.open(path) as bundle:
        member = f"tables/item-features.{name}.npy"
        array = bundle.item_values()[name].copy()
        start = path.read_bytes().index(bytes(bundle.array(member).data))
    array.reshape(-1)[0] = value
    with path.open("r+b") as stream:
        stream.seek(start)
        stream.write(array.tobytes())
    with Ranker.open(path) as ranker:
        assert len(ranker.rank(["i5"], CONTEXT)) == 1
        with pytest.raises(BundleError, match=f"the values of '{name}'"):
            ranker.rank(["i5", "i0"], CONTEXT)


@pytest.mark.parametrize(("items", "dtype"), [(255, "uint8"), (256, "uint16"), (65_536, "int32")])
def test_indexes_are_stored_in_no_more_bytes_than_they_need(make_ranker: MakeBundle, items: int, dtype: str) -> None:
    """The row of an item takes one, two or four bytes."""
    catalogue = Catalogue(tuple(f"i{row}" for row in range(items)))
    row = np.arange(1, items + 1).astype(np.int32)
    features = (Feature("item", "category", "item", catalogue.ids),)
    path = make_ranker(catalogue=catalogue, features=features, item_values={"item": row})
    with Bundle.open(path) as bundle:
        stored = bundle.item_values()["item"]
        assert stored.dtype == dtype
        assert np.array_equal(stored, row)
