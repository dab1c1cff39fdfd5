"""Rankers that nobody here wrote for, in every way to write a look-up, a mask or a sum: each converts to both targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_rec_converters import Examples, Ranker, convert, prepare
from edge_rec_runtime import Catalogue, Precision
from edge_rec_runtime import Ranker as DeviceRanker
from edge_rec_runtime.features import Feature

if TYPE_CHECKING:
    from pathlib import Path

_ITEMS, _DIMS, _LONGEST, _ROWS = 120, 16, 8, 400
_WORDS = tuple(f"i{row}" for row in range(_ITEMS))
_FEATURES = (
    Feature("item", "category", "item", _WORDS),
    Feature("seen", "categories", "context", _WORDS, longest=_LONGEST),
    Feature("hour", "number", "context"),
)


class _Bags(nn.Module):
    """Three EmbeddingBags and an index_select."""

    def __init__(self) -> None:
        super().__init__()
        bags = {mode: nn.EmbeddingBag(_ITEMS + 1, _DIMS, mode=mode, padding_idx=0) for mode in ("sum", "mean", "max")}
        self.bags, self.item = nn.ModuleDict(bags), nn.Parameter(torch.randn(_ITEMS + 1, _DIMS))
        self.hidden = nn.Sequential(nn.Linear(4 * _DIMS + 1, 48), nn.ReLU(), nn.Linear(48, 1))

    def forward(self, item: Tensor, seen: Tensor, hour: Tensor) -> Tensor:
        pooled = [bag(seen.long()) for bag in self.bags.values()]
        logit: Tensor = self.hidden(torch.cat([self.item.index_select(0, item.long()), *pooled, hour[:, None]], 1))[:, 0]
        return logit


class _Masks(nn.Module):
    """gather, einsum, where, cumsum, masked_fill, boolean masks and indexing."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(_ITEMS + 1, _DIMS)
        self.decay = nn.Parameter(torch.tensor(0.3))
        self.mix = nn.Linear(3 * _DIMS, 32)
        self.output = nn.Linear(32, 1)

    def forward(self, item: Tensor, seen: Tensor, hour: Tensor) -> Tensor:
        there, wanted, rows = seen != 0, self.table.weight[item.long()], self.table(seen.long())
        age = there.flip(1).float().cumsum(1).flip(1)
        weight = torch.einsum("bld,bd->bl", rows, wanted) - self.decay * age
        attention = weight.masked_fill(~there, -1e9).softmax(1)
        pooled = torch.einsum("bl,bld->bd", torch.where(there, attention, 0.0), rows)
        last = (there.sum(1) - 1).clamp(min=0)
        newest = rows.gather(1, last[:, None, None].expand(-1, 1, _DIMS))[:, 0] * there.any(1, keepdim=True)
        logit: Tensor = self.output(functional.gelu(self.mix(torch.cat([wanted, pooled, newest], 1))))[:, 0]
        return logit + 0.1 * hour


class _Attending(nn.Module):
    """nn.MultiheadAttention, nn.TransformerEncoderLayer and scaled_dot_product_attention over history and candidate."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(_ITEMS + 1, _DIMS)
        self.layer = nn.TransformerEncoderLayer(_DIMS, 2, 32, batch_first=True)
        self.attention = nn.MultiheadAttention(_DIMS, 2, batch_first=True)
        self.output = nn.Linear(2 * _DIMS + 1, 1)

    def forward(self, item: Tensor, seen: Tensor, hour: Tensor) -> Tensor:
        wanted = self.table(item)[:, None]
        events = torch.cat([wanted, self.table(seen)], 1)
        absent = torch.cat([torch.zeros_like(item, dtype=torch.bool)[:, None], seen == 0], 1)
        states = self.layer(events, src_key_padding_mask=absent)
        found, _ = self.attention(wanted, states, states, key_padding_mask=absent)
        direct = functional.scaled_dot_product_attention(wanted, states, states, attn_mask=~absent[:, None])
        logit: Tensor = self.output(torch.cat([found[:, 0], direct[:, 0], hour[:, None]], 1))[:, 0]
        return logit


def _ranker(network: nn.Module) -> tuple[Ranker, Examples]:
    """Return a ranker, and examples whose labels follow its own answers."""
    rng = np.random.default_rng(0)
    seen = rng.integers(1, _ITEMS + 1, (_ROWS, _LONGEST)).astype(np.int32)
    seen[np.arange(_LONGEST) >= rng.integers(0, _LONGEST + 1, _ROWS)[:, None]] = 0
    item = rng.integers(1, _ITEMS + 1, _ROWS).astype(np.int32)
    inputs = {"item": item, "seen": seen, "hour": rng.normal(size=_ROWS).astype(np.float32)}
    logits = _answers(network, inputs)
    labels = (rng.random(_ROWS) < 1 / (1 + np.exp(-6 * (logits - logits.mean()) / logits.std()))).astype(np.float32)
    source = Ranker(
        name="mine",
        network=network,
        features=_FEATURES,
        item_values={"item": np.arange(1, _ITEMS + 1, dtype=np.int32)},
        catalogue=Catalogue(_WORDS),
    )
    return source, Examples(inputs=inputs, labels=labels)


def _answers(network: nn.Module, inputs: dict[str, np.ndarray]) -> np.ndarray:  # type: ignore[type-arg]  # of several types
    with torch.inference_mode():
        found: np.ndarray = network.eval()(*map(torch.from_numpy, inputs.values())).numpy()  # type: ignore[type-arg]
    return found


@pytest.mark.parametrize("module", [_Bags, _Masks, _Attending])
def test_a_hand_written_ranker_converts_to_both_targets(tmp_path: Path, module: type[nn.Module]) -> None:
    """fp32 gives torch's logits, empty and full histories alike; int8 stays near; alone and in a batch are the same."""
    torch.manual_seed(0)
    source, examples = _ranker(module())
    assert isinstance(source.network, nn.Module)
    prepared, wanted = prepare(source, examples=examples), _answers(source.network, dict(examples.inputs))
    for target in ("onnx", "tflite"):
        for precision, tolerance in (("fp32", 1e-4), ("int8", 0.15)):
            path = tmp_path / f"{target}-{precision}"
            made = convert(prepared, target=target, precision=Precision.parse(precision), output=path, gate=0.01)
            assert made.precision.network.startswith(precision)
            with DeviceRanker.open(path) as ranker:
                found = ranker.logits(examples.inputs)
                alone = ranker.logits({name: values[:1] for name, values in examples.inputs.items()})
            np.testing.assert_allclose(found / wanted.std(), wanted / wanted.std(), atol=tolerance)
            np.testing.assert_allclose(alone, found[:1], atol=1e-5 * wanted.std() + 1e-5)
