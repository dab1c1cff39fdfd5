"""Items as numbers of pieces in codebooks: where they start from, and how pieces and numbers are trained together."""

from __future__ import annotations

__all__ = ["ProductBooks", "ProductItems", "ProductScorer", "product_codes", "start_of_products"]

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from edge_rec.compress.quantise.grids import straight_through
from edge_rec.compress.quantise.states import asked_of
from edge_rec_converters.pq_codes import fit_pq
from edge_rec_runtime import PqTable
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def start_of_products(vectors: NDArray[np.float32], queries: NDArray[np.float32] | None, pieces: int) -> PqTable:
    """Return the codes of vectors [items, dims] that the converters would write.

    Args:
        vectors: The items.
        queries: [n, dims], whose scores are to be kept; those of the items with one another unless given.
        pieces: Bytes an item.
    """
    return fit_pq(asked_of(vectors, vectors if queries is None else queries), pieces=pieces)


class ProductItems(nn.Module):
    """Vectors [items, dims] -> the nearest pieces of codebooks that are trained.

    Both sides get the gradient: the piece, the sum over all items that have it, and the free vector, straight through, so
    that an item which is served badly by its piece moves until another is nearer (van den Oord et al., "Neural Discrete
    Representation Learning", NeurIPS 2017).
    """

    def __init__(self, start: PqTable) -> None:
        """Take the codebooks [m, k, w] to start from."""
        super().__init__()
        books = start.codebooks.astype(np.float32)
        self.unit = float(np.abs(books).mean()) or 1.0  # so that one learning rate suits them too
        self.books = nn.Parameter(torch.from_numpy(books / np.float32(self.unit)))

    def forward(self, free: Tensor) -> Tensor:
        """Return the vectors of the codes, their pieces as float16 holds them."""
        count, _, width = self.books.shape
        books = self.books * self.unit
        with torch.no_grad():
            parts = nn.functional.pad(free, (0, count * width - free.shape[1])).view(len(free), count, width)
            far = books.square().sum(dim=2) - 2 * torch.einsum("nmw,mkw->nmk", parts, books)
            codes = far.argmin(dim=2)
        picked = books[torch.arange(count), codes].reshape(len(free), -1)[:, : free.shape[1]]
        return straight_through(free + picked, picked.detach().half().float())


class ProductBooks(nn.Module):
    """Whatever vectors -> those of codes that stay, by codebooks that are trained, as float16 holds them.

    While an encoder learns to see codes, they had better stay. On MovieLens-1M items that went on changing their pieces kept
    .905 of the teacher's NDCG@10 after five epochs, those whose pieces stayed .922.
    """

    codes: Tensor

    def __init__(self, start: PqTable) -> None:
        """Take codes and codebooks to start from."""
        super().__init__()
        self.books = nn.Parameter(torch.from_numpy(start.codebooks.astype(np.float32)))
        self.register_buffer("codes", torch.from_numpy(start.codes.astype(np.int64)), persistent=False)

    def forward(self, free: Tensor) -> Tensor:
        """Return the vectors of the codes, in the shape of ``free``."""
        picked = self.books[torch.arange(len(self.books)), self.codes].reshape(len(free), -1)[:, : free.shape[1]]
        return straight_through(picked, picked.detach().half().float())


class ProductScorer(nn.Module):
    """Codes under training by a frozen encoder's queries."""

    def __init__(self, start: PqTable) -> None:
        super().__init__()
        latents = torch.from_numpy(start.decode(np.arange(start.rows)))
        self.items = ProductItems(start)
        self._unit = float(latents.abs().mean()) or 1.0
        self._latents = nn.Parameter(latents / self._unit)

    def vectors(self) -> Tensor:
        """Return [items, dims]."""
        found: Tensor = self.items(self._latents * self._unit)
        return found

    def bias(self) -> None:
        """Return nothing."""


def product_codes(values: NDArray[np.float32], pieces: int) -> PqTable:
    """Return the codes of vectors [items, dims] that are made of at most 256 different pieces at each place.

    Raises:
        CompressionError: They are made of more.
    """
    rows, dims = values.shape
    width = -(-dims // pieces)
    padded = np.zeros((rows, pieces * width), np.float32)
    padded[:, :dims] = values
    found = [np.unique(part, axis=0, return_inverse=True) for part in np.split(padded, pieces, axis=1)]
    most = max(len(book) for book, _ in found)
    if most > 256:
        raise CompressionError(f"quantise:to=pq: the item table has {most} different pieces at one place; report this model")
    books = np.stack([np.pad(book, ((0, most - len(book)), (0, 0))) for book, _ in found])
    return PqTable.pack(np.stack([codes.reshape(-1) for _, codes in found], axis=1), books, dims=dims)
