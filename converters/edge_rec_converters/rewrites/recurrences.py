"""Keep GRU, LSTM and RNN whole.

Importing torch's decompositions, which the first export does, teaches them to unroll themselves step by step. Any later export
in the process then fixes the length at the example's, and writes hundreds of nodes in the place of one.
"""

from __future__ import annotations

__all__ = ["whole_recurrences"]

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def whole_recurrences() -> Iterator[None]:
    """Take the unrolled forms of recurrent operators away, and give them back."""
    aten: Any = torch.ops.aten
    operators = (aten.gru.input, aten.lstm.input, aten.rnn_tanh.input, aten.rnn_relu.input)
    unrolled = [dict(operator.py_kernels) for operator in operators]
    for operator in operators:
        operator.py_kernels.clear()
        operator._dispatch_cache.clear()  # noqa: SLF001 - the cache of py_kernels; torch offers no other way
    try:
        yield
    finally:
        for operator, kernels in zip(operators, unrolled, strict=True):
            operator.py_kernels.update(kernels)
            operator._dispatch_cache.clear()  # noqa: SLF001 - as above
