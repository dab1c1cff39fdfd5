"""What memory allows: one plain read of the same bytes, by the extension's own loop, in order or as four long streams."""

from __future__ import annotations

__all__ = ["limits"]

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_runtime import kernels
from scanning.contender import Contender

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanning.problems import Problem

_STREAMS = {"one read, in order": 1, "one read, four streams": 4}
_BITS = {"int8": 8, "fp32": 32, "hamming": 1, "bits": 1}


def limits(problem: Problem) -> list[Contender]:
    """Return what reads as many bytes as the table's codes have, once a batch; nothing where the extension is not there."""
    native = kernels.native()
    if native is None:
        return []
    held = np.ones(problem.case.rows * problem.case.dims * _BITS[problem.case.precision] // 8, dtype=np.uint8)
    nothing = np.empty(0, dtype=np.int64)

    def answer(streams: int, _: int) -> NDArray[np.int64]:
        native._read_all(held, streams)  # noqa: SLF001 - made for this
        return nothing

    return [Contender(name=name, answer=partial(answer, streams)) for name, streams in _STREAMS.items()]
