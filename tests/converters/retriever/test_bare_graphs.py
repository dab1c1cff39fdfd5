"""Parts of retriever graphs, each with the real engines: ties, groups, few items, context, what a file holds, what is refused."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from ai_edge_litert.interpreter import Interpreter
from bare_graphs import LONGEST, emitted, encoder, graph, wanted
from graph_pairs import TARGETS, Engine, batch
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_rec_converters.retriever import retriever_graph
from edge_rec_converters.retriever.top import group_size
from edge_rec_converters.targets import emitter
from edge_rec_runtime.codes import BinaryTable, Fp16Table, Fp32Table, Int4Table, Int8Table, ItemTable, PqTable
from edge_rec_runtime.errors import ConversionError

ITEMS, DIMS = 3000, 24
_RNG = np.random.default_rng(0)
_SIGNS = _RNG.random((ITEMS, DIMS)) < 0.5
_WHOLE = _RNG.integers(-9, 10, (ITEMS, DIMS)).astype(np.float32)  # whole numbers, so that sums are exact in any order
_BIAS = _RNG.normal(size=ITEMS).astype(np.float32)
_PROJECTION = _RNG.integers(-3, 4, (DIMS, 16)).astype(np.float32)

TABLES: dict[str, tuple[ItemTable, ItemTable | None]] = {
    "fp32": (Fp32Table.encode(_WHOLE), None),
    "fp32 with bias": (Fp32Table.encode(_WHOLE, _BIAS.round()), None),
    "fp16": (Fp16Table.encode(_WHOLE), None),
    "int8 of one scale": (Int8Table(_WHOLE.astype(np.int8), np.ones(ITEMS, np.float32)), None),
    "int8 with bias": (Int8Table(_WHOLE.astype(np.int8), np.full(ITEMS, 0.5, np.float16), _BIAS), None),
    "int4": (Int4Table.encode(_WHOLE % 15 - 7, scales=np.ones(ITEMS)), None),
    "signs": (BinaryTable.pack(_SIGNS), None),
    "signs with scales and bias": (BinaryTable.pack(_SIGNS, np.full(ITEMS, 0.25), np.round(_BIAS)), None),
    "signs with projection": (BinaryTable.pack(_SIGNS, np.full(ITEMS, 0.5), None, _PROJECTION), None),
    "signs and int8": (BinaryTable.pack(_SIGNS), Int8Table(_WHOLE.astype(np.int8), np.ones(ITEMS, np.float32), _BIAS)),
}


@pytest.fixture(scope="module", params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    """Each target in turn."""
    name: str = request.param
    return name


@pytest.mark.parametrize("name", TABLES)
def test_equal_scores_stand_in_row_order(target: str, name: str) -> None:
    """Where sums are exact the answer is the runtime's item by item, among thousands of ties, through both steps of top-k."""
    assert group_size(ITEMS, 10) > 1
    table, rescore = TABLES[name]
    engine = Engine(target, emitted(target, table, rescore=rescore))
    rng = np.random.default_rng(1)
    histories = [rng.integers(0, ITEMS, rng.integers(1, 14)).tolist() for _ in range(12)]
    items, scores = engine(batch(*histories))
    for row, history in enumerate(histories):
        rows, exact = wanted(table, history, rescore=rescore)
        assert items[row].tolist() == rows.tolist()
        np.testing.assert_allclose(scores[row], exact, rtol=2e-7, atol=1e-6 * np.abs(exact).max())


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_is_no_event_changes_nothing(target: str, data: st.DataObject) -> None:
    """A history answers as it does without the entries outside of the catalogue, wherever they stand and whatever they are."""
    table = TABLES["signs"][0]
    engine = _kept(target, table)
    numbers = st.one_of(st.integers(0, ITEMS - 1), st.integers(-(2**31), 2**31 - 1), st.sampled_from([-1, ITEMS, ITEMS + 1]))
    histories = data.draw(st.lists(st.lists(numbers, min_size=1, max_size=20), min_size=1, max_size=3))
    items, scores = engine(batch(*histories))
    for row, history in enumerate(histories):
        if any(0 <= number < ITEMS for number in history):
            rows, exact = wanted(table, history)
            assert items[row].tolist() == rows.tolist()
            assert np.allclose(scores[row], exact, rtol=2e-7)
        else:
            assert items[row].tolist() == list(range(10))
            assert scores[row].tolist() == (np.arange(ITEMS)[::-1] // 3)[:10].tolist()


_ENGINES: dict[str, Engine] = {}


def _kept(target: str, table: ItemTable) -> Engine:
    if target not in _ENGINES:
        _ENGINES[target] = Engine(target, emitted(target, table))
    return _ENGINES[target]


def test_fewer_items_than_k(target: str) -> None:
    """All items are answered, then -1 with minus infinity; a history of all of them leaves nothing."""
    table = Int8Table.encode(_WHOLE[:6])
    engine = Engine(target, emitted(target, table, k=100))
    items, scores = engine(batch([1, 4], [0, 1, 2, 3, 4, 5, 0], [-1]))
    assert items.shape == scores.shape == (3, 6)
    assert items[0, :4].tolist() == wanted(table, [1, 4])[0].tolist()
    assert items[0, 4:].tolist() == [-1, -1]
    assert np.isneginf(scores[0, 4:]).all()
    assert np.isfinite(scores[0, :4]).all()
    assert items[1].tolist() == [-1] * 6
    assert np.isneginf(scores[1]).all()
    assert items[2].tolist() == list(range(6))


def test_one_item(target: str) -> None:
    """The smallest catalogue there is."""
    items, scores = Engine(target, emitted(target, Fp32Table.encode(_WHOLE[:1])))(batch([0], [5]))
    assert items.tolist() == [[-1], [0]]
    assert np.isneginf(scores[0]).all()


def test_a_query_of_zeros(target: str) -> None:
    """Opposite vectors add up to nothing: every score is 0, and items come in the order of the catalogue."""
    values = np.concatenate([_WHOLE[:1], -_WHOLE[:1], _WHOLE[2:40]])
    items, scores = Engine(target, emitted(target, Int8Table.encode(values)))(batch([0, 1]))
    assert items[0].tolist() == list(range(2, 12))
    assert (scores == 0).all()


@pytest.mark.parametrize("name", ["fp16", "int4", "signs", "signs with projection", "signs and int8"])
def test_zeros_stand_behind_the_events(target: str, name: str) -> None:
    """An encoder that adds up all that it is given gets what the runtime would give it."""
    table, rescore = TABLES[name]
    engine = Engine(
        target, emitted(target, table, rescore=rescore, around=encoder(DIMS if rescore else table.dims, masked=False))
    )
    items, _ = engine(batch([5, 6], list(range(40, 46))))
    for row, history in enumerate(([5, 6], range(40, 46))):
        assert items[row].tolist() == wanted(table, list(history), rescore=rescore)[0].tolist()


def test_context_goes_through(target: str) -> None:
    """What the encoder takes besides a history stays an input of the graph, under its name."""
    table = TABLES["int8 of one scale"][0]
    around = encoder(DIMS, context=", float[batch] hour", scale="hour")
    engine = Engine(target, emitted(target, table, around=around))
    histories = batch([3, 9], [7, 1])
    items, scores = engine(histories, hour=np.array([2, -1], np.float32))
    plain, once = Engine(target, emitted(target, table))(histories)
    assert items[0].tolist() == plain[0].tolist()
    assert scores[0].tolist() == (2 * once[0]).tolist()
    assert scores[1].max() > 0
    assert not set(items[1]) & set(plain[1])


@pytest.mark.parametrize("name", ["fp32", "fp16", "int8 of one scale", "int4", "signs", "signs and int8"])
def test_a_table_stands_in_the_file_once(target: str, name: str) -> None:
    """A file is little more than its tables; TFLite adds two columns of zeros, int8 scales once more, and four bits a sign."""
    table, rescore = TABLES[name]
    size = len(emitted(target, table, rescore=rescore))
    wide, bits = DIMS + 8, DIMS // 8
    bytes_a_row = {
        "fp32": (4 * DIMS, 4 * DIMS),
        "fp16": (2 * DIMS, 2 * DIMS),
        "int8 of one scale": (DIMS + 2, wide + 16),
        "int4": (DIMS // 2 + 2, wide // 2 + 4),
        "signs": (bits, wide // 2),
        "signs and int8": (bits + DIMS + 10, wide // 2 + DIMS + 8),
    }[name][TARGETS.index(target)]
    assert size < (ITEMS + 64) * bytes_a_row + 14_000


def test_ports(target: str) -> None:
    """Names, order, types and open axes are those that clients count on; TFLite stores the model's window as default."""
    data = emitted(target, TABLES["int4"][0])
    if target == "onnx":
        ports = onnx.load_model_from_string(data).graph
        types = {port.name: port.type.tensor_type for port in (*ports.input, *ports.output)}
        shown = {
            name: (one.elem_type, [axis.dim_param or axis.dim_value for axis in one.shape.dim]) for name, one in types.items()
        }
        assert shown == {"history": (6, ["batch", "length"]), "items": (6, ["batch", 10]), "scores": (1, ["batch", 10])}
        return
    opened = Interpreter(model_content=data)
    (history,) = opened.get_input_details()
    assert (history["dtype"], history["shape"].tolist(), history["shape_signature"].tolist()) == (
        np.int32,
        [1, LONGEST],
        [-1, -1],
    )
    given = [(one["name"], one["dtype"], one["shape_signature"].tolist()) for one in opened.get_output_details()]
    assert given == [("items", np.int32, [-1, 10]), ("scores", np.float32, [-1, 10])]


def test_shapes_are_planned_ahead() -> None:
    """LiteRT knows every shape before it sees a number: nothing is planned anew in the middle of a request."""
    opened = Interpreter(model_content=emitted("tflite", TABLES["signs and int8"][0], rescore=TABLES["signs and int8"][1]))
    opened.resize_tensor_input(opened.get_input_details()[0]["index"], [3, 5])
    opened.allocate_tensors()
    shapes = [one["shape"].tolist() for one in opened.get_output_details()]
    assert shapes == [[3, 10], [3, 10]]


def test_a_graph_is_pure() -> None:
    """The encoder is left as it was, and the same parts give the same bytes."""
    around = encoder(DIMS)
    before = str(around.graph)
    first = emitted("onnx", TABLES["int4"][0], around=around)
    assert first == emitted("onnx", TABLES["int4"][0], around=around)
    assert str(around.graph) == before


def test_constants_that_are_called_like_ports(target: str) -> None:
    """A weight of the encoder may be called ``items``, ``scores`` or ``history``."""
    around = encoder(DIMS)
    for name, other in zip(("one", "two"), ("items", "history"), strict=True):
        around.graph.initializers[name].name = other
    table = TABLES["signs"][0]
    items, _ = Engine(target, emitted(target, table, around=around))(batch([5, 6]))
    assert items[0].tolist() == wanted(table, [5, 6])[0].tolist()


def test_what_has_no_form_is_refused() -> None:
    """Product codes, a feature that is called like a port, and a k of 0, each in a sentence."""
    with pytest.raises(ConversionError, match="k is 0; a retriever graph answers at least one item"):
        graph(TABLES["int4"][0], k=0)
    codes = PqTable.from_parts({"codes": np.zeros((9, 2), np.uint8), "codebooks": np.zeros((2, 256, 4), np.float32)}, dims=8)
    with pytest.raises(ConversionError, match=r"items=pq has no form in a retriever graph.*use one of fp32, fp16, int8"):
        graph(codes)
    with pytest.raises(ConversionError, match=r"the encoder has an input 'items'.*rename the feature"):
        graph(TABLES["int4"][0], around=encoder(DIMS, context=", float[batch] items", scale="items"))


def test_no_popularity_is_the_order_of_the_catalogue(target: str) -> None:
    """Where nobody counted, an empty history is answered as the runtime does, with scores of 0."""
    table = TABLES["int4"][0]
    made = retriever_graph(encoder(DIMS), table=table, rescore=None, popularity=None, max_length=LONGEST, k=5)
    items, scores = Engine(target, emitter(target)(made))(batch([-1]))
    assert items.tolist() == [[0, 1, 2, 3, 4]]
    assert (scores == 0).all()
