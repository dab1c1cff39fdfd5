"""Have transformer layers compute step by step.

In eval mode ``nn.TransformerEncoderLayer`` and ``nn.MultiheadAttention`` take a fused operator of their own, which no ONNX
operator matches; their plain form computes the same.
"""

from __future__ import annotations

__all__ = ["plain_attention"]

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def plain_attention() -> Iterator[None]:
    """Switch the fused operator off, and back to what it was."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
