"""Encoders as people write them, small, for the tests of the TFLite target: ``vectors, mask -> query``."""

from __future__ import annotations

import onnx_ir as ir
import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_rec_converters.signature import Port, Signature
from edge_rec_converters.tidy import tidy
from edge_rec_converters.torch_export import from_torch

WIDTH, LONGEST = 16, 40


class MeanMlp(nn.Module):
    """A perceptron over the masked mean, normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(WIDTH, 32), nn.ReLU(), nn.Linear(32, WIDTH))

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the query."""
        mean = (vectors * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return functional.normalize(self.layers(mean), dim=-1)


class FoldIn(nn.Module):
    """A user's factors by a fixed number of conjugate-gradient steps."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("gram", torch.eye(WIDTH) * 3 + 0.1)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the query."""
        seen = vectors * mask[..., None] * 0.25

        def times(x: Tensor) -> Tensor:
            return x @ self.gram + ((seen @ x[..., None]).transpose(1, 2) @ seen)[:, 0]

        rest = 2 * seen.sum(1)
        x, direction, size = torch.zeros_like(rest), rest, (rest * rest).sum(1, keepdim=True)
        for _ in range(10):  # clamped: the exporter takes a sum with 1e-8 or less for no sum at all
            image = times(direction)
            step = size / (direction * image).sum(1, keepdim=True).clamp(min=1e-12)
            x, rest = x + step * direction, rest - step * image
            after = (rest * rest).sum(1, keepdim=True)
            direction, size = rest + after / size.clamp(min=1e-12) * direction, after
        return x


class Block(nn.Module):
    """A pre-LN transformer block; ``form`` is how attention is written."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form, self.heads = form, 2
        self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return the block's output; ``bias`` is added to the logits."""
        y = self.before(x)
        x = x + self.out(getattr(self, self.form)(self.query(y), self.key(y), self.value(y), bias))
        return x + self.narrow(functional.gelu(self.wide(self.between(x))))

    def reshaped(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        """Attend by four axes, as torch's own function wants it."""
        rows, length, width = query.shape
        heads = [part.view(rows, length, self.heads, width // self.heads).transpose(1, 2) for part in (query, key, value)]
        mixed = functional.scaled_dot_product_attention(*heads, attn_mask=bias)
        return mixed.transpose(1, 2).reshape(rows, length, width)

    def split(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        """Attend head by head, on three axes."""
        width = WIDTH // self.heads
        mixed = [
            torch.softmax(q @ k.transpose(1, 2) * width**-0.5 + bias[:, 0], -1) @ v
            for q, k, v in zip(query.split(width, -1), key.split(width, -1), value.split(width, -1), strict=True)
        ]
        return torch.cat(mixed, -1)


class Causal(nn.Module):
    """A causal transformer with positions; ``triangle`` is how its causal mask is made."""

    def __init__(self, form: str, triangle: str) -> None:
        super().__init__()
        self.triangle = triangle
        self.positions = nn.Parameter(torch.randn(LONGEST, WIDTH) * 0.3)
        self.blocks = nn.ModuleList([Block(form)])
        self.after = nn.LayerNorm(WIDTH)
        self.register_buffer("lower", torch.tril(torch.ones(LONGEST, LONGEST, dtype=torch.bool)))

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the query."""
        length = vectors.shape[1]
        if self.triangle == "sliced":
            lower = self.lower[:length, :length]
        elif self.triangle == "arange":
            lower = torch.arange(length)[None, :] <= torch.arange(length)[:, None]
        else:
            lower = torch.tril(torch.ones(length, length, dtype=torch.bool))
        bias = torch.where(lower[None, None] & (mask > 0)[:, None, None], 0.0, -1e4)
        x = vectors * WIDTH**0.5 + self.positions[:length]
        for block in self.blocks:
            x = block(x, bias)
        following = torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], 1)
        return self.after((x * (mask * (1 - following))[..., None]).sum(1))


class EncoderLayer(nn.Module):
    """torch's own transformer layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(WIDTH, 2, 32, 0.0, activation="gelu", batch_first=True, norm_first=True)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the query."""
        length = vectors.shape[1]
        future = torch.triu(torch.full((length, length), -1e9), 1)
        x = self.layer(vectors, src_mask=future, src_key_padding_mask=mask == 0)
        return (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)


class Pooling(nn.Module):
    """torch's own attention, from one query."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the query."""
        mean = vectors.mean(1, keepdim=True)
        return self.attention(mean, vectors, vectors, key_padding_mask=mask == 0, need_weights=False)[0][:, 0]


class Weighted(nn.Module):
    """Positions by a running sum, einsum, and a softmax with minus infinity on the padding."""

    def __init__(self) -> None:
        super().__init__()
        self.positions = nn.Embedding(LONGEST, WIDTH)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the query."""
        x = vectors + self.positions((mask.cumsum(1) - 1).clamp(min=0).long())
        weights = torch.softmax((x * x).sum(-1).masked_fill(mask == 0, float("-inf")), 1)
        return torch.einsum("bl,bld->bd", weights, x)


class LastEvent(nn.Module):
    """The last event by its number, in the two ways of writing that."""

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the query."""
        last = mask.sum(1).long() - 1
        gathered = vectors.gather(1, last[:, None, None].expand(-1, 1, WIDTH))[:, 0]
        return gathered + vectors[torch.arange(vectors.shape[0]), last]


ENCODERS: dict[str, type[nn.Module] | tuple[str, str]] = {
    "mean-mlp": MeanMlp,
    "fold-in": FoldIn,
    "causal-reshaped-sliced": ("reshaped", "sliced"),
    "causal-split-sliced": ("split", "sliced"),
    "causal-reshaped-arange": ("reshaped", "arange"),
    "causal-reshaped-tril": ("reshaped", "tril"),
    "encoder-layer": EncoderLayer,
    "pooling": Pooling,
    "weighted": Weighted,
    "last-event": LastEvent,
}


def build(name: str) -> nn.Module:
    """Return an encoder in eval mode, its weights drawn from a fixed seed and none of them 0 or 1."""
    torch.manual_seed(0)
    kind = ENCODERS[name]
    module = Causal(*kind) if isinstance(kind, tuple) else kind()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return module.eval()


def graph_of(module: nn.Module) -> ir.Model:
    """Return the graph of an encoder, as the converters make it."""
    axes = ("batch", "length")
    vectors, mask = Port("vectors", ir.DataType.FLOAT, (*axes, WIDTH)), Port("mask", ir.DataType.FLOAT, axes)
    query = Port("query", ir.DataType.FLOAT, ("batch", WIDTH))
    wanted = Signature(model="test", inputs=(vectors, mask), output=query, longest={"batch": 64, "length": LONGEST})
    return tidy(from_torch(module, wanted))
