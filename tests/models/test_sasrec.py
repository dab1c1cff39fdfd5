"""The encoder computes one thing in two ways, looks at nothing it must not, and leaves torch unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from edge_rec.models import SASRec, SASRecOptions
from edge_rec_converters.protocol import RetrieverSource
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = SASRecOptions(dims=16, blocks=2, heads=2, feed_forward=32, max_length=20, recency=0.5)


def _model(options: SASRecOptions = OPTIONS, *, items: int = 30) -> SASRec:
    """Return a model whose every weight is drawn, biases too, so that nothing cancels out."""
    model = SASRec(options, Catalogue(tuple(f"i{row}" for row in range(items))), seed=1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(torch.randn(value.shape, generator=generator) * 0.2)
    return model.eval()


def _vectors(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * 0.3


def _mask(lengths: list[int], width: int) -> Tensor:
    return (torch.arange(width)[None, :] < torch.tensor(lengths)[:, None]).float()


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=6),
    st.integers(1, 3),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([0.0, 0.3, 100.0]),
)
@torch.inference_mode()
def test_training_and_export_compute_the_same(lengths: list[int], blocks: int, heads: int, recency: float) -> None:
    """`forward` gives the state that `states` has after the last event, whatever the lengths, blocks, heads and recency."""
    options = SASRecOptions(dims=16, blocks=blocks, heads=heads, feed_forward=24, max_length=20, recency=recency)
    encoder = _model(options).encoder
    vectors = _vectors(len(lengths), max(lengths), 16)
    queries = encoder(vectors, _mask(lengths, max(lengths)))
    states = encoder.states(vectors)
    wanted = torch.stack([states[line, length - 1] for line, length in enumerate(lengths)])
    torch.testing.assert_close(queries, wanted, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_blocks_of_their_own_widths_compute_the_same_in_training_and_export() -> None:
    """Whatever heads and hidden units each block still has, `forward` and `states` agree; lists are what tuples are."""
    shape = {"dims": 18, "heads": 4, "head_dims": 5, "kept_heads": [[0, 3], [1]], "feed_forward": [7, 12], "recency": 0.3}
    model = _model(SASRecOptions(blocks=2, max_length=20, **shape))  # type: ignore[arg-type]  # as JSON gives it
    vectors = _vectors(2, 9, 18)
    states = model.encoder.states(vectors)
    wanted = torch.stack([states[0, 8], states[1, 3]])
    torch.testing.assert_close(model.encoder(vectors, _mask([9, 4], 9)), wanted, rtol=1e-4, atol=1e-5)
    again = SASRec.restore(model.describe(), model.weights(), model.catalogue)
    assert again.options == model.options
    assert again.options.kept_heads == ((0, 3), (1,))


@torch.inference_mode()
def test_a_head_that_says_nothing_can_be_taken_away() -> None:
    """Without the channels of a head whose output weights are 0, and with the others' numbers kept, the queries are the same."""
    model = _model(SASRecOptions(dims=16, blocks=1, heads=4, feed_forward=8, max_length=20, recency=0.7))
    weights = {name: value.copy() for name, value in model.weights().items()}
    weights["encoder.blocks.0.output.weight"][:, 4:8] = 0
    left = np.r_[0:4, 8:16]
    smaller = dict(weights)
    for name in ("query", "key", "value"):
        for part in ("weight", "bias"):
            smaller[f"encoder.blocks.0.{name}.{part}"] = weights[f"encoder.blocks.0.{name}.{part}"][left]
    smaller["encoder.blocks.0.output.weight"] = weights["encoder.blocks.0.output.weight"][:, left]
    shape = model.describe() | {"kept_heads": ((0, 2, 3),), "head_dims": 4}
    vectors, mask = _vectors(2, 9, 16), _mask([9, 4], 9)
    found = SASRec.restore(shape, smaller, model.catalogue).encoder(vectors, mask)
    wanted = SASRec.restore(model.describe(), weights, model.catalogue).encoder(vectors, mask)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_padding_and_neighbours_do_not_matter() -> None:
    """A history gives the same query alone, in a batch, and whatever stands behind its end."""
    encoder, vectors = _model().encoder, _vectors(3, 12, 16)
    together = encoder(vectors, _mask([5, 12, 1], 12))
    alone = encoder(vectors[:1, :5], _mask([5], 5))
    vectors[0, 5:] = 100.0
    disturbed = encoder(vectors, _mask([5, 12, 1], 12))
    torch.testing.assert_close(together[:1], alone, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(together, disturbed, rtol=1e-5, atol=1e-5)


@torch.inference_mode()
def test_no_state_looks_ahead() -> None:
    """Changing an event changes no state before it, and every state from it on."""
    encoder, vectors = _model().encoder, _vectors(1, 10, 16)
    before = encoder.states(vectors)
    vectors[0, 6] = -vectors[0, 6]
    moved = (encoder.states(vectors) - before).abs().amax(dim=2)[0] > 1e-6
    assert moved.tolist() == [False] * 6 + [True] * 4


@torch.inference_mode()
def test_recency_is_a_falling_weight_of_older_events() -> None:
    """With keys and positions at 0, a head weighs an event by exp(-slope x distance), the next head by a quarter of the slope."""
    options = SASRecOptions(dims=2, blocks=1, heads=2, feed_forward=1, max_length=6, recency=0.8)
    model = SASRec(options, Catalogue(("a",)))
    weights = dict(model.encoder.named_parameters())
    with torch.no_grad():
        for value in weights.values():
            value.zero_()
        weights["blocks.0.attention_norm.weight"].fill_(1.0)
        weights["blocks.0.value.weight"].copy_(torch.eye(2))
        weights["blocks.0.output.weight"].copy_(torch.eye(2))
    model.encoder.norm = torch.nn.Identity()  # type: ignore[assignment]  # so that the attended values are read off
    signs = torch.tensor([1.0, -1.0, 1.0, 1.0, -1.0])
    vectors = torch.stack([signs, -signs], dim=1)[None]  # normalised: the same signs, each head's channel its own
    found = model.encoder(vectors, torch.ones(1, 5))[0] - vectors[0, -1] * 2**0.5
    for head, (slope, told) in enumerate([(0.8, signs), (0.2, -signs)]):
        shares = torch.softmax(-slope * torch.arange(4.0, -1.0, -1.0), dim=0)
        torch.testing.assert_close(found[head], (shares * told).sum(), rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_an_empty_history_gives_numbers() -> None:
    """A row that is all padding is finite and does not disturb its neighbour."""
    encoder, vectors = _model().encoder, _vectors(2, 4, 16)
    queries = encoder(vectors, _mask([0, 4], 4))
    assert bool(torch.isfinite(queries).all())
    torch.testing.assert_close(queries[1:], encoder(vectors[1:], _mask([4], 4)), rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_the_exported_encoder_is_the_encoder(tmp_path: Path) -> None:
    """ONNX Runtime gives torch's queries for any batch and any length up to the window, and no 4-D tensor is inside."""
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    encoder, path = _model().encoder, tmp_path / "encoder.onnx"
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length", max=OPTIONS.max_length)
    torch.onnx.export(
        encoder,
        (_vectors(2, 7, 16), _mask([7, 3], 7)),
        path,
        dynamo=True,
        verbose=False,
        input_names=["vectors", "mask"],
        output_names=["query"],
        dynamic_shapes=({0: batch, 1: length}, {0: batch, 1: length}),
    )
    session = onnxruntime.InferenceSession(path)
    for lengths in ([1], [20], [3, 0, 20, 7], [2, 2]):
        vectors, mask = _vectors(len(lengths), max(lengths), 16, seed=7), _mask(lengths, max(lengths))
        (found,) = session.run(None, {"vectors": vectors.numpy(), "mask": mask.numpy()})
        with torch.inference_mode():
            np.testing.assert_allclose(found, encoder(vectors, mask).numpy(), rtol=1e-5, atol=1e-5)
    graph = onnx.shape_inference.infer_shapes(onnx.load(path)).graph
    assert max(len(value.type.tensor_type.shape.dim) for value in graph.value_info) == 3


def test_the_zoo_uses_the_door() -> None:
    """The model shows what the protocol asks for, its table one row an item."""
    source = _model().source()
    assert isinstance(source, RetrieverSource)
    assert source.item_table.shape == (30, 16)
    assert source.item_table.dtype == np.float32
    assert source.max_length == 20


def test_a_model_comes_back_from_its_weights() -> None:
    """Options and weights describe the model wholly."""
    model = _model()
    again = SASRec.restore(model.describe(), model.weights(), model.catalogue)
    vectors, mask = _vectors(2, 5, 16), _mask([5, 2], 5)
    with torch.inference_mode():
        assert torch.equal(again.eval().encoder(vectors, mask), model.encoder(vectors, mask))


def test_weights_that_do_not_fit_are_refused() -> None:
    """A weight too many, too few, of another shape or type, or not finite is named."""
    model = _model()
    weights = model.weights()
    table = weights["table"]
    for changed, message in (
        ({name: value for name, value in weights.items() if name != "table"}, "'table' is missing"),
        (weights | {"extra": table}, "'extra' is not expected"),
        (weights | {"table": table[:-1]}, r"'table' is float32 \[29, 16\], the options say float32 \[30, 16\]"),
        (weights | {"table": table.astype(np.float64)}, "'table' is float64"),
        (weights | {"table": np.full_like(table, np.nan)}, "'table' holds values that are not finite"),
    ):
        with pytest.raises(ModelError, match=message):
            SASRec.restore(model.describe(), changed, model.catalogue)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dims": 15}, "2 heads do not divide 15 dims"),
        ({"blocks": 0}, "blocks=0"),
        ({"max_length": 1e9}, "max_length=1000000000.0"),
        ({"dims": 1 << 40}, "dims=1099511627776"),
        ({"dropout": 1}, "dropout=1"),
        ({"recency": -0.1}, "recency=-0.1"),
        ({"recency": float("nan")}, "recency=nan"),
        ({"width": 3}, "no option 'width'"),
        ({"feed_forward": [3]}, r"feed_forward=\(3,\) is not one width for each of 2 blocks"),
        ({"feed_forward": [3, 0]}, "feed_forward=0 is not a whole number"),
        ({"kept_heads": [[0]]}, "not one list of heads for each of 2 blocks"),
        ({"kept_heads": [[0], []]}, r"\[\] in kept_heads is not a list of at least one"),
        ({"kept_heads": [[0], [1, 1]]}, r"\[1, 1\] in kept_heads"),
        ({"kept_heads": [[0], [2]]}, r"\[2\] in kept_heads is not a list of at least one of the heads 0 to 1"),
        ({"head_dims": 0}, "head_dims=0"),
    ],
)
def test_impossible_networks_are_refused(options: dict[str, object], message: str) -> None:
    """Options from a file are checked before anything of their size is built."""
    model = _model()
    with pytest.raises(ModelError, match=message):
        SASRec.restore(model.describe() | options, model.weights(), model.catalogue)
