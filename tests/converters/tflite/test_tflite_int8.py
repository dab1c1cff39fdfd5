"""The dialect's int8 layers and tables: the codes in the file, and what the engine makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tflite_files import WIDTH, Engine, distance, feeds, graph, read

from edge_rec_converters.row_codes import quantise_rows
from edge_rec_converters.targets.tflite import emit
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LINEAR = 'y = edge_rec.Int8Linear<activation = "{}">(x, codes, scales, bias)'


def layer(rows: int, *, seed: int = 0, width: int = WIDTH) -> dict[str, NDArray[np.generic]]:
    """Return codes, scales and bias; the norms of the rows differ a hundredfold, as those of trained ones do."""
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((rows, width)) * np.exp(rng.uniform(-3, 2, (rows, 1)))
    codes, scales = quantise_rows(weights.astype(np.float32))
    return {"codes": codes, "scales": scales, "bias": rng.standard_normal(rows).astype(np.float32)}


def per_token(x: NDArray[np.float32], parts: dict[str, NDArray[np.generic]]) -> NDArray[np.float64]:
    """Return what the dialect says, in numpy."""
    step = np.maximum(np.abs(x).max(-1, keepdims=True) / 127, 1e-30)
    return np.rint(x / step) @ parts["codes"].astype(np.float64).T * step * parts["scales"] + parts["bias"]


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 40), length=st.integers(1, 9), seed=st.integers(0, 99), size=st.floats(1e-3, 1e3))
def test_per_token_stays_within_a_step_of_the_dialect(rows: int, length: int, seed: int, size: float) -> None:
    """LiteRT rounds each row of the input onto a grid of its own, which no single product may leave by a step."""
    parts = layer(rows, seed=seed)
    given = feeds(2, length)
    given["x"] *= np.float32(size)
    found = Engine(emit(graph(LINEAR.format("per-token"), **parts)))(given)
    step = np.abs(given["x"]).max(-1, keepdims=True) / 127
    weights = np.abs(parts["codes"].astype(np.float64) * parts["scales"][:, None]).sum(1)
    assert (np.abs(found - per_token(given["x"], parts)) <= step * weights + 1e-5 * size).all()


def test_rows_of_every_norm_keep_their_precision() -> None:
    """Each row has its own scale in effect: the error is small beside the row's own answers, not beside the largest."""
    parts = layer(64, width=WIDTH)
    given = feeds(3, 9)
    found = Engine(emit(graph(LINEAR.format("per-token"), **parts)))(given)
    exact = given["x"] @ (parts["codes"] * parts["scales"][:, None]).T + parts["bias"]
    without = found - parts["bias"]
    wanted = exact - parts["bias"]
    assert (np.abs(without - wanted).max((0, 1)) <= 0.02 * np.abs(wanted).max((0, 1))).all()


def test_weights_only_multiplies_decoded_weights_in_float() -> None:
    """With activation none the only difference from fp32 is the rounding of the weights."""
    parts = layer(24)
    given = feeds(3, 9)
    wanted = given["x"] @ (parts["codes"] * parts["scales"][:, None]).T + parts["bias"]
    assert distance(Engine(emit(graph(LINEAR.format("none"), **parts)))(given), wanted) <= 1e-6


def test_a_table_is_decoded_row_by_row() -> None:
    """Int8Rows gives scales x codes, sliced to the running length."""
    parts = layer(12)
    del parts["bias"]
    text = "p = edge_rec.Int8Rows(codes, scales) l = Shape<start = 1, end = 2>(x) z = Constant<value_ints = [0]>() "
    engine = Engine(emit(graph(text + "s = Slice(p, z, l, z) y = Add(x, s)", **parts)))
    for length in (1, 12, 5):
        given = feeds(2, length)
        wanted = given["x"] + (parts["codes"] * parts["scales"][:, None])[:length]
        assert distance(engine(given), wanted) <= 1e-6


@pytest.mark.parametrize("activation", ["per-token", "none"])
def test_codes_and_scales_stand_in_the_file_as_in_the_graph(activation: str) -> None:
    """What is read back is what the graph holds, bit for bit, at zero point 0."""
    parts = layer(24)
    file = read(emit(graph(LINEAR.format(activation), **parts)))
    codes = file.constants["codes"]
    assert np.array_equal(codes.values, parts["codes"])
    assert codes.values.dtype == np.int8
    assert codes.zero_points is not None
    assert not codes.zero_points.any()
    held = file.constants["scales"].values if activation == "per-token" else codes.scales
    assert np.array_equal(held, parts["scales"])


def test_a_layer_without_a_bias() -> None:
    """The bias may be absent."""
    parts = layer(5)
    del parts["bias"]
    given = feeds(1, 4)
    text = 'y = edge_rec.Int8Linear<activation = "per-token">(x, codes, scales)'
    wanted = per_token(given["x"], parts | {"bias": np.zeros(5)})
    assert distance(Engine(emit(graph(text, **parts)))(given), wanted) <= 0.02


def test_a_row_of_zeros_gives_the_bias() -> None:
    """An input row of zeros has no scale; nothing divides by it."""
    parts = layer(7)
    given = feeds(1, 3)
    given["x"][0, 1] = 0
    found = Engine(emit(graph(LINEAR.format("per-token"), **parts)))(given)
    assert np.allclose(found[0, 1], parts["bias"], atol=1e-5)


def test_int8_weights_cost_a_byte_and_a_scale() -> None:
    """256 x 256 codes take no more than 1 byte each, 4 bytes a row and the bias, and 2 KB for the file itself."""
    parts = layer(256, width=256)
    text = "w = Constant<value_ints = [1,1,43]>() t = Tile(x, w) c = Slice(t, s, e, a) " + LINEAR.format("per-token").replace(
        "(x", "(c"
    )
    numbers = {"s": np.array([0]), "e": np.array([256]), "a": np.array([2])}
    assert len(emit(graph(text, **parts, **numbers))) <= 256 * (256 + 4 + 4) + 2048


def test_static_activations_are_refused_with_the_way_out() -> None:
    """TFLite wants the grid of the results, which the dialect does not fix."""
    text = LINEAR.replace("{}", "static").replace(">", ", x_scale = 0.1, x_zero_point = 128>")
    with pytest.raises(ConversionError, match=r"static.*int8-dynamic"):
        emit(graph(text, **layer(4)))
