"""Zeros of a pruned model leave its bundles, in every target and precision, and nothing else of them changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edge_rec_converters import Prepared, Retriever, convert, prepare
from edge_rec_runtime import Bundle, Catalogue, History, Precision

if TYPE_CHECKING:
    from pathlib import Path

ITEMS, DIMS, ZEROS = 800, 48, 0.8


class _Layers(nn.Module):
    """The mean of a history through two dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.expand, self.contract = nn.Linear(DIMS, 4 * DIMS), nn.Linear(4 * DIMS, DIMS)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        mean = (vectors * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        query: Tensor = mean + self.contract(torch.relu(self.expand(mean)))
        return query


def _pruned(values: np.ndarray) -> np.ndarray:
    """Return values without the smallest four fifths."""
    return np.where(np.abs(values) < np.quantile(np.abs(values), ZEROS), 0, values).astype(np.float32)


@pytest.fixture(scope="module")
def pruned() -> Prepared:
    """A model whose weights and items are four fifths zeros, at the door."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    encoder = _Layers().eval()
    with torch.no_grad():
        for layer in (encoder.expand, encoder.contract):
            layer.weight.copy_(torch.from_numpy(_pruned(layer.weight.numpy())))
    source = Retriever(
        encoder=encoder,
        item_table=_pruned(rng.normal(size=(ITEMS, DIMS))),
        catalogue=Catalogue(tuple(f"i{row}" for row in range(ITEMS))),
        max_length=20,
        name="pruned",
    )
    users = [History(tuple(f"i{row}" for row in rng.integers(0, ITEMS, 12)), target=f"i{user}") for user in range(60)]
    return prepare(source, users, targets=("onnx", "tflite"))


@pytest.mark.parametrize(("precision", "bits"), [("fp32", 32), ("int8", 8), ("fp16", 16)])
@pytest.mark.parametrize("target", ["onnx", "tflite"])
def test_a_zero_costs_a_bit(pruned: Prepared, tmp_path: Path, target: str, precision: str, bits: int) -> None:
    """Of each weight a bit is left and of a fifth of them all; engines answer from the file as the source does."""
    path = tmp_path / "pruned.edgerec"
    made = convert(pruned, target=target, precision=Precision.parse(precision), output=path)  # its gate is passed
    with Bundle.open(path, verify="full") as bundle:
        graph = bundle.manifest.encoder_members[target]
        part = "codes" if precision == "int8" else "values"
        assert set(bundle.manifest.packed) == {graph, f"tables/items.{part}.npy.packed"}
        weights, items = 2 * 4 * DIMS * DIMS, ITEMS * DIMS
        beside = len(bundle.read(graph)) - weights * bits // 8 + 4 * ITEMS + 4096
    assert made.model_bytes < (weights + items) * (bits * (1 - ZEROS) + 1) / 8 + beside
