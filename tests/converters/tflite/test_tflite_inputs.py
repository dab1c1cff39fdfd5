"""Graphs with inputs of their own names, types and axes: what a ranker brings."""

from __future__ import annotations

import numpy as np
from tflite_files import Engine, OnnxEngine, distance, graph, read

from edge_rec_converters.row_codes import quantise_int4
from edge_rec_converters.targets.tflite import emit

INPUTS = "int32[batch] item, int32[batch,tags] genres, float[batch] age, int64[batch] hour"
# A small ranker: an embedding of the item, the mean of those of its genres without the padding, and two numbers.
RANKER = """
    e = Gather(items, item)
    g = Gather(tags, genres) z = Constant<value = int32[1] {0}>() q = Equal(genres, z) n = Not(q) w = Cast<to = 1>(n)
    c = Constant<value_ints = [2]>() u = Unsqueeze(w, c) k = Mul(g, u) o = Constant<value_ints = [1]>()
    s = ReduceSum<keepdims = 0>(k, o) t = ReduceSum(w, o) f = Constant<value_float = 1.0>() d = Max(t, f) m = Div(s, d)
    a = Unsqueeze(age, o) h = Cast<to = 1>(hour) r = Unsqueeze(h, o)
    x = Concat<axis = 1>(e, m, a, r) p = MatMul(x, v) l = Constant<value_ints = [1]>() y = Squeeze(p, l)
"""
RNG = np.random.default_rng(0)
WEIGHTS = {
    "items": RNG.standard_normal((50, 8)).astype(np.float32),
    "tags": RNG.standard_normal((9, 4)).astype(np.float32),
    "v": RNG.standard_normal((14, 1)).astype(np.float32),
}


def requests(batch: int, tags: int) -> dict[str, np.ndarray]:
    """Return encoded features; 0 pads the genres."""
    padded = np.arange(tags) >= RNG.integers(0, tags + 1, (batch, 1))
    return {
        "item": RNG.integers(0, 50, batch).astype(np.int32),
        "genres": np.where(padded, 0, RNG.integers(1, 9, (batch, tags))).astype(np.int32),
        "age": RNG.standard_normal(batch).astype(np.float32),
        "hour": RNG.integers(0, 24, batch),
    }


def test_each_feature_is_an_input_of_its_name_and_axes() -> None:
    """int32 and float inputs with one open axis or two; the answers are ONNX Runtime's for every batch and length."""
    model = graph(RANKER, INPUTS, **WEIGHTS)
    data = emit(model)
    assert read(data).signature == {"serving_default": (["item", "genres", "age", "hour"], ["y"])}
    found, wanted = Engine(data), OnnxEngine(model)
    for batch, tags in ((1, 1), (7, 3), (32, 6)):
        given = requests(batch, tags)
        narrow = given | {"hour": given["hour"].astype(np.int32)}
        assert distance(found(narrow), wanted(given)) <= 2e-6


def test_a_score_does_not_depend_on_its_batch_or_padding() -> None:
    """With int4 tables, each row of a batch is what it is alone, and zeros after the genres change nothing."""
    codes, scales = quantise_int4(WEIGHTS["items"])
    text = RANKER.replace("Gather(items, item)", 'edge_rec.RowLookup<layout = "int4", width = 8>(item, codes, scales)')
    weights = {name: array for name, array in WEIGHTS.items() if name != "items"}
    engine = Engine(emit(graph(text, INPUTS, codes=codes, scales=scales, **weights)))
    given = requests(9, 4) | {"hour": RNG.integers(0, 24, 9).astype(np.int32)}
    together = engine(given)
    for row in range(9):
        alone = {name: array[row : row + 1] for name, array in given.items()}
        alone["genres"] = np.pad(alone["genres"], ((0, 0), (0, 3)))
        assert distance(engine(alone), together[row : row + 1]) <= 1e-6
