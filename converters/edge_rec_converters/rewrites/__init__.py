"""What torch is made to do differently while it exports, so that layers have a form that engines run.

Each rewrite is a context manager that acts on torch for its time, and never on the caller's module.
"""

from __future__ import annotations

__all__ = ["REWRITES", "rewritten"]

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from edge_rec_converters.rewrites.attention import attention_with_heads, plain_attention
from edge_rec_converters.rewrites.embedding_bag import plain_embedding_bags
from edge_rec_converters.rewrites.packed import no_packed_sequences
from edge_rec_converters.rewrites.recurrences import whole_recurrences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

REWRITES: tuple[Callable[[], AbstractContextManager[object]], ...] = (
    whole_recurrences,
    plain_attention,
    attention_with_heads,
    plain_embedding_bags,
    no_packed_sequences,
)


@contextmanager
def rewritten() -> Iterator[None]:
    """Apply every rewrite, and take all of them back."""
    with ExitStack() as stack:
        for rewrite in REWRITES:
            stack.enter_context(rewrite())
        yield
