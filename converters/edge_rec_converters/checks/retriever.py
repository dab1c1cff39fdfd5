"""A retriever at the door."""

from __future__ import annotations

__all__ = ["check_encoder", "check_retriever"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_converters.checks._finished import check_tables
from edge_rec_converters.checks._parts import (
    check_features,
    check_finite,
    check_module,
    check_name,
    described,
    drift,
)
from edge_rec_converters.reference import source_encoder
from edge_rec_converters.sentences import first_line
from edge_rec_converters.windows import feed, spread_over
from edge_rec_runtime.errors import EdgeRecError, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_rec_converters.protocol import RetrieverSource
    from edge_rec_converters.windows import Windows

_TOLERANCE = 1e-3  # of the largest number in a query; batched and single matrix products differ by some 1e-6 of it
_PADDED = 3


def check_retriever(source: RetrieverSource) -> None:
    """Check the table, bias, finished tables, catalogue, context and sizes of a source.

    Raises:
        ModelError: One of them is not what the protocol asks for.
    """
    check_name(source.name)
    name, table = source.name, source.item_table
    if not isinstance(table, np.ndarray) or table.ndim != 2 or table.dtype.kind != "f" or 0 in table.shape:
        raise ModelError(f"{name}: the item table is {described(table)}; expected a float array [items, dims]")
    if len(source.catalogue) != len(table):
        raise ModelError(
            f"{name}: {len(source.catalogue)} item ids for {len(table)} rows of the item table; give one id a row, in row order"
        )
    if source.item_bias is not None and source.item_bias.shape != (len(table),):
        raise ModelError(
            f"{name}: the item bias is {described(source.item_bias)}; expected one number for each of {len(table)} items"
        )
    if source.max_length < 1:
        raise ModelError(f"{name}: max_length is {source.max_length}; an encoder takes at least 1 event")
    check_features(name, source.context)
    for feature in source.context:
        if feature.of != "context":
            raise ModelError(f"{name}: the feature {feature.name!r} is of the item; an encoder is fed what the request gives")
    check_finite(name, "the item table", table)
    if source.item_bias is not None:
        check_finite(name, "the item bias", source.item_bias)
    check_tables(source)
    check_module(name, "encoder", source.encoder)


def check_encoder(source: RetrieverSource, users: Windows) -> None:
    """Run the encoder on a few real histories, alone, in a batch and padded.

    Raises:
        ModelError: It cannot be run, gives another shape or NaN, or what it gives depends on padding or on the batch.
    """
    encode, table, dims = source_encoder(source), source.item_table, source.item_table.shape[1]
    tried = spread_over(users.lengths())

    def fed(chosen: Sequence[int] | NDArray[np.intp], length: int | None = None) -> dict[str, NDArray[Any]]:
        return feed(users, chosen, table.__getitem__, dims=dims, length=length)

    try:
        alone = [encode(fed([user])) for user in tried]
        together = encode(fed(tried))
        padded = [encode(fed([user], min(len(users[user]) + _PADDED, source.max_length))) for user in tried]
    except EdgeRecError:
        raise
    except Exception as error:
        raise ModelError(
            f"{source.name}: the encoder fails on vectors [batch, length, {dims}] and mask [batch, length]: "
            f"{first_line(error, 200)}"
        ) from error
    for query in (*alone, together):
        if query.ndim != 2 or query.shape[1] != dims or query.dtype != np.float32:
            raise ModelError(
                f"{source.name}: the encoder returned {described(query)}; expected float32 [batch, {dims}], wide as an item"
            )
    single = np.concatenate(alone)
    if not np.isfinite(single).all() or not np.isfinite(together).all():
        raise ModelError(f"{source.name}: the encoder returned NaN on a real history; guard divisions and empty softmax rows")
    if (moved := drift(np.concatenate(padded), single)) > _TOLERANCE:
        raise ModelError(
            f"{source.name}: padding a history changes its query by {moved:.1%}; the encoder must ignore what has mask 0"
        )
    if (moved := drift(together, single)) > _TOLERANCE:
        raise ModelError(
            f"{source.name}: a history's query changes by {moved:.1%} with what else is in the batch; "
            "take statistics over a history only, and keep BatchNorm in eval mode"
        )
