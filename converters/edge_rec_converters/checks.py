"""Look at a model before any work is spent on it: the parts fit together, and the encoder keeps the protocol's promises.

The promises are tried on real histories, because nothing in a module's signature shows them: padding changes nothing, and
what else is in the batch changes nothing.
"""

from __future__ import annotations

__all__ = ["check_encoder", "check_parts"]

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from edge_rec_converters.reference import source_encoder
from edge_rec_converters.windows import pad
from edge_rec_runtime.errors import EdgeRecError, ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_converters.protocol import RetrieverSource
    from edge_rec_converters.windows import Windows

_NAME = re.compile(r"\w[^/\\\x00-\x1f]{0,99}")  # bundles are named after it, so it must not lead elsewhere
_TRIED = 7
_TOLERANCE = 1e-3  # of the spread of the queries; batched and single matrix products differ by some 1e-6 of it


def check_parts(source: RetrieverSource) -> None:
    """Check the table, bias, catalogue and sizes of a source.

    Raises:
        ModelError: One of them is not what the protocol asks for.
    """
    if getattr(source, "kind", None) != "retriever":
        raise ModelError(f"{source!r:.80} is of the kind {getattr(source, 'kind', None)!r}; expected a Retriever")
    name, table = source.name, source.item_table
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ModelError(f"a model is called {name!r}; bundles are named after it, give it a plain name like 'films'")
    if not isinstance(source.encoder, torch.nn.Module | Path):
        raise ModelError(
            f"{name}: the encoder is a {type(source.encoder).__name__}; expected a torch.nn.Module or the Path of an .onnx file"
        )
    if not isinstance(table, np.ndarray) or table.ndim != 2 or table.dtype.kind != "f" or 0 in table.shape:
        raise ModelError(f"{name}: the item table is {_described(table)}; expected a float array [items, dims]")
    if len(source.catalogue) != len(table):
        raise ModelError(
            f"{name}: {len(source.catalogue)} item ids for {len(table)} rows of the item table; give one id a row, in row order"
        )
    if source.item_bias is not None and source.item_bias.shape != (len(table),):
        raise ModelError(
            f"{name}: the item bias is {_described(source.item_bias)}; expected one number for each of {len(table)} items"
        )
    if source.max_length < 1:
        raise ModelError(f"{name}: max_length is {source.max_length}; an encoder takes at least 1 event")
    for what, values in _weights(source):
        if not np.isfinite(values).all():
            raise ModelError(f"{name}: {what} holds NaN or infinity; convert a checkpoint from before training diverged")


def check_encoder(source: RetrieverSource, users: Windows) -> None:
    """Run the encoder on a few real histories, alone, in a batch and padded.

    Raises:
        ModelError: It cannot be run, gives another shape or NaN, or what it gives depends on padding or on the batch.
    """
    encode, table, dims = source_encoder(source), np.asarray(source.item_table, np.float32), source.item_table.shape[1]
    spread = np.argsort(users.lengths(), kind="stable")
    tried = spread[np.linspace(0, len(spread) - 1, min(_TRIED, len(spread))).astype(int)]
    rows = [users[user] for user in tried]
    try:
        alone = [encode(*pad([one], table)) for one in rows]
        together = encode(*pad(rows, table))
        padded = [encode(*pad([one], table, length=min(len(one) + 3, source.max_length))) for one in rows]
    except EdgeRecError:
        raise
    except Exception as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise ModelError(
            f"{source.name}: the encoder fails on vectors [batch, length, {dims}] and mask [batch, length]: {lines[0][:200]}"
        ) from error
    for query in (*alone, together):
        if query.ndim != 2 or query.shape[1] != dims or query.dtype != np.float32:
            raise ModelError(
                f"{source.name}: the encoder returned {_described(query)}; expected float32 [batch, {dims}], wide as an item"
            )
    single = np.concatenate(alone)
    if not np.isfinite(single).all() or not np.isfinite(together).all():
        raise ModelError(f"{source.name}: the encoder returned NaN on a real history; guard divisions and empty softmax rows")
    scale = float(np.abs(single).max()) or 1.0
    if (drift := _drift(np.concatenate(padded), single) / scale) > _TOLERANCE:
        raise ModelError(
            f"{source.name}: padding a history changes its query by {drift:.1%}; the encoder must ignore what has mask 0"
        )
    if (drift := _drift(together, single) / scale) > _TOLERANCE:
        raise ModelError(
            f"{source.name}: a history's query changes by {drift:.1%} with what else is in the batch; "
            "take statistics over a history only, and keep BatchNorm in eval mode"
        )


def _drift(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    return float(np.abs(found - wanted).max())


def _weights(source: RetrieverSource) -> list[tuple[str, NDArray[np.floating]]]:
    weights: list[tuple[str, NDArray[np.floating]]] = [("the item table", source.item_table)]
    if source.item_bias is not None:
        weights.append(("the item bias", source.item_bias))
    if isinstance(source.encoder, torch.nn.Module):
        for name, value in source.encoder.named_parameters():
            weights.append((f"the weight '{name}'", value.detach().numpy()))
    return weights


def _described(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return f"a {type(value).__name__}"
