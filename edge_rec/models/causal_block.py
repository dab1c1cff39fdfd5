"""One block of a causal transformer: states look at themselves and at those before them, and are renewed.

The same weights compute in three ways: the states of a history for one asking state (`forward`, which is exported), new events
after remembered ones (`step`, exported too), and all states of a batch at once (`all_positions`, for training).
"""

from __future__ import annotations

__all__ = ["CausalBlock"]

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_rec.models.attention import attend
from edge_rec.models.network import keep_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class CausalBlock(nn.Module):
    """Attention and a feed-forward layer, each behind a normalisation and added to what came in."""

    def __init__(self, dims: int, *, heads: tuple[int, ...], slopes: tuple[float, ...], head_width: int, hidden: int) -> None:
        """Build a block.

        Args:
            dims: Width of the states.
            heads: Numbers of the heads that it has.
            slopes: For each of them what its attention score loses for an event of distance.
            head_width: Width of a head.
            hidden: Width of the feed-forward layer.
        """
        super().__init__()
        self.heads, self.slopes = heads, slopes
        width = len(heads) * head_width
        self.attention_norm = nn.LayerNorm(dims)
        self.query = nn.Linear(dims, width)
        self.key = nn.Linear(dims, width)
        self.value = nn.Linear(dims, width)
        self.output = nn.Linear(width, dims)
        self.feed_forward_norm = nn.LayerNorm(dims)
        self.expand = nn.Linear(dims, hidden)
        self.contract = nn.Linear(hidden, dims)

    def forward(self, asking: Tensor, known: Tensor, forbidden: Tensor, distance: Tensor) -> Tensor:
        """Let ``asking`` [batch, asked, dims] attend to ``known`` [batch, length, dims].

        Args:
            asking: The states to be renewed.
            known: The states that they look at.
            forbidden: Added to the attention scores; broadcasts to [batch, asked, length], as the next does.
            distance: Events since the one that is looked at, 0 from the asking one on.
        """
        told = self.attention_norm(known)
        query = self.query(told if asking is known else self.attention_norm(asking))
        biases = [forbidden - distance * slope if slope else forbidden for slope in self.slopes]
        found = attend(query, self.key(told), self.value(told), biases=biases)
        return self._feed_forward(asking + self.output(found), keep_all)

    def step(
        self, states: Tensor, keys: Tensor, values: Tensor, biases: Sequence[Tensor], *, last: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Renew the states of new events, which look at those before them and at each other.

        Args:
            states: [1, new, dims].
            keys: [1, length, width] of what came before.
            values: The same.
            biases: One a head, [1, new, length + new], added to the attention scores.
            last: Only the newest state is wanted.

        Returns:
            The states, and the keys and values of the new events.
        """
        told = self.attention_norm(states)
        key, value = self.key(told), self.value(told)
        if last:
            states, told, biases = states[:, -1:], told[:, -1:], [bias[:, -1:] for bias in biases]
        found = attend(self.query(told), torch.cat([keys, key], dim=1), torch.cat([values, value], dim=1), biases=biases)
        return self._feed_forward(states + self.output(found), keep_all), key, value

    def all_positions(self, states: Tensor, bias: Tensor, drop: Callable[[Tensor], Tensor]) -> Tensor:
        """Renew every state [batch, length, dims], with the fused kernel.

        Args:
            states: The states.
            bias: [1, heads, length, length], -inf for what comes later; the kernel is as fast with it as with its causal switch.
            drop: What training does to activations.
        """
        batch, length, _ = states.shape
        told = self.attention_norm(states)
        query, key, value = (
            layer(told).view(batch, length, len(self.heads), -1).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        joined = attended.transpose(1, 2).reshape(batch, length, -1)
        return self._feed_forward(states + drop(self.output(joined)), drop)

    def _feed_forward(self, states: Tensor, drop: Callable[[Tensor], Tensor]) -> Tensor:
        hidden = functional.gelu(self.expand(self.feed_forward_norm(states)))
        return states + drop(self.contract(hidden))
