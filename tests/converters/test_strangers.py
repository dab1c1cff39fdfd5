"""Models that nobody here wrote for: attention, recurrence, pooling by learnt weights; each converts, or says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from edge_rec_converters import convert, prepare
from edge_rec_runtime import Precision
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_rec_converters import Retriever
    from edge_rec_runtime import History

_DIMS = 32


class _Transformer(nn.Module):
    """torch's own encoder layer, averaged over events."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(_DIMS, 4, 64, batch_first=True, norm_first=True, dropout=0.0)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        states: Tensor = self.layer(vectors, src_key_padding_mask=mask == 0)
        return (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


class _Attention(nn.Module):
    """torch's multi-head attention and an einsum."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(_DIMS, 4, batch_first=True)
        self.output = nn.Linear(_DIMS, _DIMS)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        states, _ = self.attention(vectors, vectors, vectors, key_padding_mask=mask == 0, need_weights=False)
        output: Tensor = self.output(torch.einsum("bld,bl->bd", states, mask) / mask.sum(1, keepdim=True))
        return output


class _Pooling(nn.Module):
    """Events weighted by a small network, with torch.where and a softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(_DIMS, _DIMS)
        self.weight = nn.Linear(_DIMS, 1)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        weight = self.weight(torch.tanh(self.hidden(vectors))).squeeze(-1)
        weight = torch.where(mask > 0, weight, torch.full_like(weight, -1e9))
        return (torch.softmax(weight, -1)[..., None] * vectors).sum(1)


class _Gru(nn.Module):
    """A recurrent layer, its state gathered after the last event."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(_DIMS, _DIMS, batch_first=True)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        states, _ = self.gru(vectors)
        last = (mask.sum(1).long() - 1).clamp(min=0)
        gathered: Tensor = states.gather(1, last[:, None, None].expand(-1, 1, _DIMS)).squeeze(1)
        return gathered


@pytest.mark.parametrize("encoder", [_Transformer, _Attention, _Pooling, _Gru])
def test_a_stranger_converts_to_both_targets(
    make_source: Callable[..., Retriever], held_out: list[History], tmp_path: Path, encoder: type[nn.Module]
) -> None:
    """fp32 and int8, for ONNX Runtime and for LiteRT, each within its gate."""
    torch.manual_seed(0)
    prepared = prepare(make_source(encoder()), held_out)
    for target in ("onnx", "tflite"):
        for precision in ("fp32", "int8"):
            made = convert(prepared, target=target, precision=Precision.parse(precision), output=tmp_path / "m")
            assert made.verification.passed
            assert made.precision.network != "fp32" or precision == "fp32"


class _Packed(nn.Module):
    """A recurrent layer on a packed sequence, as one writes it for training."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(_DIMS, _DIMS, batch_first=True)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        lengths = mask.sum(1).clamp(min=1).long()
        packed = nn.utils.rnn.pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        state: Tensor = self.gru(packed)[1][-1]
        return state


def test_a_packed_sequence_is_refused_with_what_to_write(make_source: Callable[..., Retriever], held_out: list[History]) -> None:
    """The sentence says how to compute the same without it."""
    with pytest.raises(ConversionError, match=r"_Packed cannot be exported.*gather the state at mask\.sum\(1\) - 1"):
        prepare(make_source(_Packed()), held_out)
