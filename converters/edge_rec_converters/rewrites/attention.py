"""Have attention computed step by step, in the one form that torch.onnx takes.

In eval mode ``nn.TransformerEncoderLayer`` and ``nn.MultiheadAttention`` take a fused operator of their own, which no ONNX
operator matches; their plain form computes the same. ``F.scaled_dot_product_attention`` without an axis of heads is given one.
"""

from __future__ import annotations

__all__ = ["attention_with_heads", "plain_attention"]

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from edge_rec_converters.rewrites._intercept import intercept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor
    from torch.overrides import TorchFunctionMode


@contextmanager
def plain_attention() -> Iterator[None]:
    """Switch the fused operator off, and back to what it was."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


def attention_with_heads() -> TorchFunctionMode:
    """Give attention over [batch, length, dims] the axis of heads that the exporter wants, and take it away again."""
    return intercept(lambda function: _attention if function is functional.scaled_dot_product_attention else None)


def _attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, *rest: object, **options: object
) -> Tensor:
    if query.ndim != 3:
        return functional.scaled_dot_product_attention(query, key, value, attn_mask, *rest, **options)  # type: ignore[arg-type]
    mask = attn_mask.unsqueeze(1) if attn_mask is not None and attn_mask.ndim == 3 else attn_mask
    heads = (part.unsqueeze(1) for part in (query, key, value))
    return functional.scaled_dot_product_attention(*heads, mask, *rest, **options).squeeze(1)  # type: ignore[arg-type, call-arg]
