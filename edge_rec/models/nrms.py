"""NRMS: an item is the words that describe it, a user the items met; a film that nobody has seen yet has its vector.

After Wu et al., "Neural News Recommendation with Multi-Head Self-Attention" (EMNLP 2019). The words of an item (title, genres,
decade) attend to each other and are pooled into a vector; that runs on the host, once, and gives the item table. The items of a
history do the same on the device. Three things differ from the paper: events know their position, look only back, so that one
pass trains the query after every event, and fade with their age (`recency`, as in `sasrec.py`). `NRMSEncoder.forward` and
`NRMSEncoder.states` compute the same; a test holds them.
"""

from __future__ import annotations

__all__ = ["NRMS", "NRMSEncoder", "NRMSOptions", "words_of"]

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_rec.models.attention import FORBIDDEN, AdditivePool, attend
from edge_rec.models.network import Network, check_share, check_whole, keep_all
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edge_rec_runtime import Catalogue

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")
_YEAR = re.compile(r"(1[89]|20)\d\d")
_LONGEST = 16  # words of an item that count
_TOGETHER = 512  # items padded to one length
_ABSENT, _RARE = 0, 1  # rows of the word table before those of the vocabulary


@dataclass(frozen=True, kw_only=True)
class NRMSOptions:
    """The shape of the network.

    Attributes:
        dims: Width of words, items and users.
        heads: Attention heads, of the item's words as of the user's events; they divide ``dims``.
        max_length: Events that the encoder looks back.
        recency: What an event's scores lose for each event that has come since, when events look at each other and are pooled.
        met_in: Items that must have a word for it to be one of the vocabulary; the others are all the same word.
        dropout: Share of activations dropped in training.
    """

    dims: int = 64
    heads: int = 4
    max_length: int = 50
    recency: float = 0.0  # what runs without this option were trained with
    met_in: int = 1
    dropout: float = 0.2

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        check_whole("NRMS", self, "dims", "heads", "max_length", "met_in")
        if self.dims % self.heads:
            raise ModelError(f"NRMS: {self.heads} heads do not divide {self.dims} dims; choose dims as a multiple of heads")
        if not isinstance(self.recency, int | float) or not 0 <= self.recency <= 1:
            raise ModelError(f"NRMS: recency={self.recency!r} is not a number from 0 to 1")
        check_share("NRMS", self, "dropout")


def words_of(title: str, attributes: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the words that describe an item, each once: of the title and of the attributes; a year stands for its decade."""
    text = " ".join((title, *(value for values in attributes.values() for value in values))).lower()
    return tuple(dict.fromkeys(f"{word[:3]}0s" if _YEAR.fullmatch(word) else word for word in _WORD.findall(text)))


class _Attention(nn.Module):
    """Vectors look at each other and become new ones."""

    def __init__(self, options: NRMSOptions) -> None:
        super().__init__()
        self.heads = options.heads
        self.query, self.key, self.value, self.output = (nn.Linear(options.dims, options.dims) for _ in range(4))

    def forward(self, vectors: Tensor, bias: Tensor) -> Tensor:
        """Return [batch, length, dims] from ``vectors`` of that shape; ``bias`` is added to the attention scores."""
        found = attend(self.query(vectors), self.key(vectors), self.value(vectors), biases=(bias,) * self.heads)
        renewed: Tensor = vectors + self.output(found)
        return renewed


class _ItemEncoder(nn.Module):
    """The words of items -> their vectors."""

    def __init__(self, options: NRMSOptions, vocabulary: int) -> None:
        super().__init__()
        self.words = nn.Parameter(torch.empty(vocabulary + 2, options.dims))
        self.attention = _Attention(options)
        self.pool = AdditivePool(options.dims)
        self.norm = nn.LayerNorm(options.dims)

    def forward(self, words: Tensor) -> Tensor:
        """Return [items, dims] from ``words`` [items, words] int64 rows of the word table, 0 after the end."""
        lengths = (words != _ABSENT).sum(dim=1)
        order = torch.argsort(lengths, stable=True)
        # Most items have few words: those of about one length go together, and padding costs little.
        groups = [order[start : start + _TOGETHER] for start in range(0, len(order), _TOGETHER)]
        parts = [self._alike(words[rows, : int(lengths[rows[-1]])]) for rows in groups]
        return torch.cat(parts)[torch.argsort(order)]

    def _alike(self, words: Tensor) -> Tensor:
        bias = (words == _ABSENT).float() * FORBIDDEN
        vectors = self.attention(functional.embedding(words, self.words), bias[:, None, :])
        pooled: Tensor = self.norm(self.pool(vectors, bias)) * self.words.shape[1] ** -0.5
        return pooled


class NRMSEncoder(nn.Module):
    """Item vectors of a history -> the vector that the next item's should resemble."""

    order: Tensor

    def __init__(self, options: NRMSOptions) -> None:
        super().__init__()
        self.options = options
        self.positions = nn.Parameter(torch.empty(options.max_length, options.dims))
        self.attention = _Attention(options)
        self.pool = AdditivePool(options.dims)
        self.output = nn.Linear(options.dims, options.dims)
        self.norm = nn.LayerNorm(options.dims)
        self.register_buffer("order", torch.arange(options.max_length, dtype=torch.float32), persistent=False)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the query [batch, dims] of each history; finite, without meaning, where there is no event.

        Args:
            vectors: [batch, length, dims] rows of the item table, oldest event first, anything finite after the last event.
            mask: [batch, length] 1 on events, then 0.
        """
        order = self.order[: vectors.shape[1]]
        attended = self._attended(vectors, self._looks_back(order), keep_all)
        bias = (1.0 - mask) * FORBIDDEN + mask * order * self.options.recency
        query: Tensor = self.norm(self.output(self.pool(attended, bias)))
        return query

    def states(self, vectors: Tensor, *, drop: Callable[[Tensor], Tensor] = keep_all) -> Tensor:
        """Return the query [batch, length, dims] after every event; see `Network.states`."""
        back = self._looks_back(self.order[: vectors.shape[1]])
        attended = self._attended(vectors, back, drop)
        queries: Tensor = self.norm(self.output(drop(self.pool.prefixes(attended, back))))
        return queries

    def _looks_back(self, order: Tensor) -> Tensor:
        """Return [length, length], what each event adds to the scores of all: an older one fades, a later one does not count."""
        age = order[:, None] - order[None, :]
        return functional.relu(-age) * FORBIDDEN - functional.relu(age) * self.options.recency

    def _attended(self, vectors: Tensor, back: Tensor, drop: Callable[[Tensor], Tensor]) -> Tensor:
        placed = vectors * math.sqrt(self.options.dims) + self.positions[: vectors.shape[1]]
        attended: Tensor = self.attention(drop(placed), back)
        return attended


class NRMS(Network):
    """A user encoder for the device, and an item encoder that makes its table.

    Attributes:
        options: The shape of the network.
        catalogue: The items; their titles and attributes are what the item encoder reads.
        vocabulary: Row of the word table by word.
        encoder: Of users.
        items: Of items.
    """

    name: ClassVar[str] = "nrms"
    title: ClassVar[str] = "NRMS"
    Options: ClassVar[type] = NRMSOptions

    def __init__(self, options: NRMSOptions, catalogue: Catalogue, *, seed: int = 0) -> None:
        super().__init__(options, catalogue)
        described = [self._words_at(row) for row in range(len(catalogue))]
        counts = Counter(word for words in described for word in words)
        kept = sorted(word for word, count in counts.items() if count >= options.met_in)
        self.vocabulary = {word: row for row, word in enumerate(kept, _RARE + 1)}
        self._words = self._rows(described)
        self.items = _ItemEncoder(options, len(kept))
        self.encoder = NRMSEncoder(options)
        self.draw(seed)

    def draw(self, seed: int) -> None:
        """Draw the initial weights; a word that training never meets says nothing."""
        super().draw(seed)
        with torch.no_grad():
            self.items.words[: _RARE + 1] = 0.0

    def spread(self, name: str, values: Tensor) -> float:
        """Return the standard deviation that a matrix starts with: layers keep the size of what passes through them."""
        known = {"items.words": 1.0, "encoder.positions": 0.02}
        return known[name] if name in known else 1 / math.sqrt(values.shape[1])

    def item_vectors(self) -> Tensor:
        """Return the item table [items, dims], with a gradient."""
        vectors: Tensor = self.items(self._words)
        return vectors

    def vectors_of(self, described: Sequence[tuple[str, Mapping[str, Sequence[str]]]]) -> NDArray[np.float32]:
        """Return the vectors [items, dims] of items by their titles and attributes, whether training knew them or not.

        Words that training did not know count as one and the same rare word.
        """
        with torch.no_grad():
            vectors: NDArray[np.float32] = self.items.eval()(self._rows([words_of(*one) for one in described])).numpy()
        return vectors

    def _words_at(self, row: int) -> tuple[str, ...]:
        known = self.catalogue
        title = known.ids[row] if known.titles is None else known.titles[row]
        return words_of(title, {name: values[row] for name, values in (known.attributes or {}).items()})

    def _rows(self, described: Sequence[Sequence[str]]) -> Tensor:
        """Return rows of the word table [items, longest] int64, 0 after the end; an item without words has the rare one."""
        rows = [[self.vocabulary.get(word, _RARE) for word in words][:_LONGEST] or [_RARE] for words in described]
        return torch.tensor([row + [_ABSENT] * (_LONGEST - len(row)) for row in rows], device="cpu")
