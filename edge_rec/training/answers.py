"""A model's logits after every event of a log: all positions of a history at once, or one request an event."""

from __future__ import annotations

__all__ = ["Answers", "answers_of", "stretches"]

from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch.nn import functional

from edge_rec.data import Sequences
from edge_rec.metrics import scores
from edge_rec.models.network import Network
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from edge_rec.data import Split
    from edge_rec.models import Model

_TOGETHER = 16  # stretches of history padded to one length
_CHUNK = 512  # events whose logits are alive at a time
_ASKED = 8 * _CHUNK  # events that are asked about together; each time costs a preparation
_SHORT = 16  # windows up to this length cost little more one by one, and are then exact for every event


class Answers(Protocol):
    """What a model would have answered at each moment of a log."""

    def logits(self, first: int, stop: int) -> Iterator[Tensor]:
        """Yield logits [events, items] after each event of the users from ``first`` to before ``stop``, in the log's order.

        All answers of one log are cut into the same chunks, so that several models can be read side by side.
        """

    def vectors(self) -> NDArray[np.float32] | None:
        """Return the item vectors [items, dims], where the model has some."""


def answers_of(model: Model, split: Split) -> Answers:
    """Return the quicker way to a model's answers on ``split.train``."""
    if isinstance(model, Network) and model.options.max_length > _SHORT:
        return _AtOnce(model, split)
    return _OneByOne(model, split)


class _AtOnce:
    """Of a network: the states at all positions of a window.

    A history that is longer than the window is read in windows that overlap by half: each event's answer then knows at
    least half a window of what was before it, as far as there is so much.
    """

    def __init__(self, model: Network, split: Split) -> None:
        self._model, self._train = model, split.train
        attributes = split.user_attributes
        nothing = [""] * len(split.train)
        self._context = [torch.from_numpy(one.encode(attributes.get(one.name, nothing))) for one in model.context]
        with torch.inference_mode():
            source = model.source()
            table = torch.from_numpy(np.ascontiguousarray(source.item_table))
            self._table = table if model.structure.item_rank is None else table @ model.item_basis
            self._fed = self._table if model.item_decoder is None else model.item_decoder(table)
            self._bias = None if source.item_bias is None else torch.from_numpy(source.item_bias)

    def vectors(self) -> NDArray[np.float32] | None:
        """Return the item vectors [items, dims]."""
        return self._table.numpy()

    def logits(self, first: int, stop: int) -> Iterator[Tensor]:
        """Yield logits [events, items] in chunks."""
        states = self._states(first, stop)
        for chunk in torch.split(states, _CHUNK):
            found = chunk @ self._table.T
            yield found if self._bias is None else found + self._bias

    def _states(self, first: int, stop: int) -> Tensor:
        offsets, size = self._train.offsets, self._model.options.max_length
        begin = int(offsets[first])
        whole = [(user, int(offsets[user]), int(offsets[user + 1])) for user in range(first, stop)]
        parts = [one for history in whole for one in stretches(*history, size)]
        parts.sort(key=lambda one: one[2] - one[1])
        states = torch.empty(int(offsets[stop]) - begin, self._table.shape[1])
        for at in range(0, len(parts), _TOGETHER):
            group = parts[at : at + _TOGETHER]
            rows = torch.zeros(len(group), group[-1][2] - group[-1][1], dtype=torch.int64)
            for line, (_, start, end, _) in enumerate(group):
                rows[line, : end - start] = torch.from_numpy(self._train.items[start:end].astype(np.int64))
            users = torch.tensor([user for user, *_ in group])
            found = self._model.states(functional.embedding(rows, self._fed), *(values[users] for values in self._context))
            for line, (_, start, end, new) in enumerate(group):
                states[new - begin : end - begin] = found[line, new - start : end - start]
        return states


def stretches(user: int, start: int, end: int, size: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield windows of a history: user, first event, the end, and the first event that no window before it answered."""
    new = start
    while new < end:
        stop = min(start + size, end)
        yield user, start, stop, new
        start, new = start + max(size // 2, 1), stop


class _OneByOne:
    """Of any model: a request after each event, with as much of the history as its window takes."""

    def __init__(self, model: Model, split: Split) -> None:
        source = model.source()
        if source.kind == "ranker":
            raise ModelError(f"{model.name}: a ranker scores given candidates and has no answer of its own")
        self._source, self._split = source, split

    def vectors(self) -> NDArray[np.float32] | None:
        """Return the item vectors [items, dims], if it has some."""
        return np.ascontiguousarray(self._source.item_table) if self._source.kind == "retriever" else None

    def logits(self, first: int, stop: int) -> Iterator[Tensor]:
        """Yield logits [events, items] in chunks."""
        train, split = self._split.train, self._split
        begin, end = int(train.offsets[first]), int(train.offsets[stop])
        users = np.repeat(np.arange(first, stop), np.diff(train.offsets[first : stop + 1]))
        for start in range(begin, end, _ASKED):
            events = np.arange(start, min(start + _ASKED, end))
            asked = users[events - begin]
            starts = np.maximum(train.offsets[asked], events + 1 - self._source.max_length)
            parts = [train.items[one : event + 1] for one, event in zip(starts, events, strict=True)]
            offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
            known = {name: [values[user] for user in asked] for name, values in split.user_attributes.items()}
            found = torch.empty(len(events), len(split.item_ids))
            for lines, scored in scores(self._source, Sequences(items=np.concatenate(parts), offsets=offsets), known):
                found[torch.from_numpy(lines)] = torch.from_numpy(scored)
            yield from torch.split(found, _CHUNK)
