"""Items in codes, and the small network that the encoder sees them through."""

from __future__ import annotations

__all__ = ["ItemDecoder"]

from torch import Tensor, nn
from torch.nn import functional


class ItemDecoder(nn.Module):
    """From what is stored of an item to the vector that the encoder is fed with: a linear part and a hidden layer beside it.

    What few bits say of an item can be told apart by a network whose size does not grow with the catalogue: Kang et al.,
    "Learning to Embed Categorical Features without Embedding Tables for Recommendation" (KDD 2021). There the codes are drawn,
    here they are learnt.
    """

    def __init__(self, stored: int, hidden: int, dims: int) -> None:
        """Take the widths of what is stored, of the hidden layer and of what the encoder takes."""
        super().__init__()
        self.linear = nn.Linear(stored, dims, bias=False)
        self.inner = nn.Linear(stored, hidden)
        self.outer = nn.Linear(hidden, dims, bias=False)

    def forward(self, stored: Tensor) -> Tensor:
        """Return [..., dims] of [..., stored]."""
        result: Tensor = self.linear(stored) + self.outer(functional.relu(self.inner(stored)))
        return result
