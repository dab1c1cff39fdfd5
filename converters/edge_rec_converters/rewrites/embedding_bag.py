"""Write bags of embeddings as a look-up, a mask and a reduction.

torch.onnx makes a Loop over the rows of ``nn.EmbeddingBag``, six times slower than this and unknown to TFLite.
"""

from __future__ import annotations

__all__ = ["plain_embedding_bags"]

import inspect
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from edge_rec_converters.rewrites._intercept import intercept
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from torch.overrides import TorchFunctionMode

_ARGUMENTS = inspect.signature(functional.embedding_bag)


def plain_embedding_bags() -> TorchFunctionMode:
    """Have ``nn.EmbeddingBag`` and ``F.embedding_bag`` compute the same in plain operators, for ids [batch, length].

    Flat ids with offsets and bags with ``max_norm`` raise ConversionError.
    """
    return intercept(lambda function: _embedding_bag if function is functional.embedding_bag else None)


def _embedding_bag(*args: object, **kwargs: object) -> Tensor:
    bound = _ARGUMENTS.bind(*args, **kwargs)
    bound.apply_defaults()
    given = bound.arguments
    ids, weight, padding = given["input"], given["weight"], given["padding_idx"]
    if given["offsets"] is not None or ids.ndim != 2:
        raise ConversionError(
            "an EmbeddingBag is given flat ids with offsets, whose bags have no fixed shape; give it ids [batch, length] "
            "with padding_idx for what is absent"
        )
    if given["max_norm"] is not None:
        raise ConversionError("an EmbeddingBag has max_norm, which changes weights at every call; scale them once and set None")
    rows = functional.embedding(ids, weight)
    kept = None if padding is None else (ids != padding % weight.shape[0]).unsqueeze(-1)
    if given["mode"] == "max":
        return _largest(rows, kept)
    if given["per_sample_weights"] is not None:
        rows = rows * given["per_sample_weights"].unsqueeze(-1)
    return _total(rows, kept) if given["mode"] == "sum" else _mean(rows, kept)


def _total(rows: Tensor, kept: Tensor | None) -> Tensor:
    return rows.sum(1) if kept is None else (rows * kept.to(rows.dtype)).sum(1)


def _mean(rows: Tensor, kept: Tensor | None) -> Tensor:
    """Divide by what was kept, and give zeros where that is nothing, as torch does."""
    return rows.mean(1) if kept is None else _total(rows, kept) / kept.to(rows.dtype).sum(1).clamp(min=1)


def _largest(rows: Tensor, kept: Tensor | None) -> Tensor:
    if kept is None:
        return rows.amax(1)
    largest = torch.where(kept, rows, torch.full_like(rows, torch.finfo(rows.dtype).min)).amax(1)
    return torch.where(kept.any(1), largest, torch.zeros_like(largest))
