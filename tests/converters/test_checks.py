"""A model that breaks a promise of the protocol is refused before any work is spent on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edge_rec_converters import prepare
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import DataError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_rec_converters import Retriever
    from edge_rec_runtime import History


class _Encoder(nn.Module):
    """An encoder that does what it is given."""

    def __init__(self, forward: Callable[[Tensor, Tensor], object]) -> None:
        super().__init__()
        self.given = forward

    def forward(self, vectors: Tensor, mask: Tensor) -> object:
        return self.given(vectors, mask)


def _mean(vectors: Tensor, mask: Tensor) -> Tensor:
    return (vectors * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda v, m: v.mean(1) * (m.sum(1, keepdim=True) * 0 + 1), "padding a history changes its query"),
        (lambda v, m: _mean(v, m) - _mean(v, m).mean(0, keepdim=True) * 0.5, "what else is in the batch"),
        (lambda v, m: _mean(v, m)[:, :7], r"float32 \[7, 7\]|returned float32 \[1, 7\]"),
        (lambda v, m: _mean(v, m) / 0 * 0, "returned NaN"),
        (lambda v, m: (_mean(v, m), m), "returned tuple; expected one tensor"),
        (lambda v, m: v @ m, "the encoder fails on vectors"),
        (lambda v, m: _mean(v, m).double(), "float64"),
    ],
)
def test_an_encoder_that_breaks_a_promise(
    make_source: Callable[..., Retriever], held_out: list[History], forward: Callable[[Tensor, Tensor], object], message: str
) -> None:
    """Padding, batch, width, NaN, type: each is tried on real histories and named."""
    with pytest.raises(ModelError, match=message):
        prepare(make_source(_Encoder(forward)), held_out)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"item_table": np.zeros((240, 32, 1), np.float32)}, r"float32 \[240, 32, 1\]; expected a float array \[items, dims\]"),
        ({"item_table": np.zeros((240, 32), np.int64)}, "int64"),
        ({"item_table": np.full((240, 32), np.nan, np.float32)}, "the item table holds NaN"),
        ({"catalogue": Catalogue(("a", "b"))}, "2 item ids for 240 rows"),
        ({"item_bias": np.zeros(3, np.float32)}, r"item bias is float32 \[3\]"),
        ({"max_length": 0}, "max_length is 0"),
        ({"kind": "ranker"}, "calls itself a ranker and lacks network, features, item_values"),
        ({"kind": "oracle"}, "'oracle'; expected a source of the kind retriever, neighbours, ranker"),
        *(({"name": name}, "give it a plain name") for name in ("", "../films", "a/b", "a\\b", "..", "-o", "a\nb", 5)),
        ({"encoder": "model.onnx"}, "the encoder is a str"),
    ],
)
def test_parts_that_do_not_fit(mean_source: Retriever, held_out: list[History], parts: dict[str, object], message: str) -> None:
    """The sentence names the part, what it is and what was expected."""
    given = {name: getattr(mean_source, name) for name in mean_source.__dataclass_fields__} | parts
    with pytest.raises(ModelError, match=message):
        prepare(type(mean_source)(**given), held_out)


def test_weights_that_diverged_are_named(make_source: Callable[..., Retriever], held_out: list[History]) -> None:
    """A NaN in a weight is found before the export, and the weight is named."""

    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.full((32,), float("nan")))

        def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
            return _mean(vectors, mask) * self.scale

    with pytest.raises(ModelError, match="weight 'scale' holds NaN"):
        prepare(make_source(Scaled()), held_out)


def test_histories_of_another_catalogue_are_refused(mean_source: Retriever, held_out: list[History]) -> None:
    """Nothing can be verified where no id is known; the message shows what ids look like."""
    strange = [type(one)(tuple(f"x{item}" for item in one.events)) for one in held_out]
    with pytest.raises(DataError, match=r"none of the 60 histories.*'i0'"):
        prepare(mean_source, strange)
