"""What a source itself answers, straight from torch and numpy: the yardstick, without code of converters or runtime."""

from __future__ import annotations

__all__ = ["inputs", "logits", "queries", "scores"]

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drawn_requests import Request
    from numpy.typing import NDArray

    from edge_rec_converters import Ranker, Retriever
    from edge_rec_converters.protocol import Neighbours
    from edge_rec_runtime.features import Feature


def queries(source: Retriever, requests: Sequence[Request], table: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Return a retriever's queries [requests, dims] float32, each computed alone.

    Args:
        source: The model.
        requests: Histories.
        table: [items, dims] that the encoder is fed from in the place of the source's own.
    """
    assert isinstance(source.encoder, torch.nn.Module)
    vectors = source.item_table if table is None else table
    found = []
    with torch.inference_mode():
        for one in requests:
            rows = one.rows[-source.max_length :]
            context = [torch.from_numpy(_encoded(feature, one.context[feature.name])) for feature in source.context]
            query = source.encoder.eval()(torch.from_numpy(vectors[rows][None]), torch.ones(1, len(rows)), *context)
            found.append(query[0].numpy())
    return np.array(found)


def scores(source: Retriever | Neighbours, requests: Sequence[Request]) -> NDArray[np.float32]:
    """Return a source's score of every item, [requests, items] float32."""
    if source.kind == "retriever":
        found = queries(source, requests) @ source.item_table.T
        return found if source.item_bias is None else found + source.item_bias
    found = np.zeros((len(requests), len(source.catalogue)), np.float32)
    for line, one in zip(found, requests, strict=True):
        for row in np.unique(one.rows[-source.max_length :]):
            part = slice(source.starts[row], source.starts[row + 1])
            line[source.items[part]] += source.values[part]
    return found


def inputs(source: Ranker, request: Request) -> dict[str, NDArray[Any]]:
    """Return what a ranker's network is fed for the candidates of a request, by feature."""
    made = {}
    for feature in source.features:
        if feature.of == "item":
            made[feature.name] = source.item_values[feature.name][request.rows]
        else:
            made[feature.name] = np.repeat(_encoded(feature, request.context[feature.name]), len(request.rows), axis=0)
    return made


def logits(source: Ranker, fed: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Return a ranker's logits [rows] float32."""
    assert isinstance(source.network, torch.nn.Module)
    with torch.inference_mode():
        found: NDArray[np.float32] = source.network.eval()(*(torch.from_numpy(fed[one.name]) for one in source.features)).numpy()
    return found


def _encoded(feature: Feature, value: Any) -> NDArray[Any]:  # noqa: ANN401 - whatever a request may hold
    """Return one value as the network takes it, [1] or [1, length]: the newest known words, counted from 1."""
    if feature.kind == "number":
        return np.array([value], np.float32)
    places = {word: place for place, word in enumerate(feature.vocabulary, start=1)}
    if feature.kind == "category":
        return np.array([places.get(value, 0)], np.int32)
    known = [places[word] for word in value or () if word in places][-feature.longest :]
    return np.array([known or [0]], np.int32)
