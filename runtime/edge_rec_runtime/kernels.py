"""The search kernels in C: whether they are used, on which path of this CPU, and why.

``EDGE_REC_KERNELS`` lowers the path: ``off`` for numpy, or ``portable``, ``avx2``, ``avx512``, ``neon``, ``dotprod``; what the
CPU does not have is not used, whatever it says.
"""

from __future__ import annotations

__all__ = ["VARIABLE", "ActiveKernels", "Kernel", "active", "native"]

import importlib
import os
import platform
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from edge_rec_runtime.errors import BackendError

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    from numpy.typing import NDArray

VARIABLE = "EDGE_REC_KERNELS"

# paths by architecture, the lowest first
_X86, _ARM = ("portable", "avx2", "avx512"), ("portable", "neon", "dotprod")
_WORDS = ("off", *dict.fromkeys(_X86 + _ARM))


class Kernel(Protocol):
    """A table made ready for the kernels; it holds the table's arrays."""

    def top_k(  # noqa: PLR0917  # as the extension has it: keywords would cost a tenth of a short call
        self,
        query: NDArray[np.float32],
        k: int,
        rows: NDArray[np.int64],
        scores: NDArray[np.float32],
        allowed: NDArray[Any] | None = None,
        threads: int = 1,
        /,
    ) -> int:
        """Write the best rows and scores, best first, equal scores in row order, and return how many there are.

        Args:
            query: [dims] or [batch, dims].
            k: At least 1.
            rows: [k] or [batch, k], written.
            scores: Of the same shape, written.
            allowed: [rows] bool, or its bits as uint8 [(rows + 7) // 8], lowest bit first.
            threads: At most so many share the table.

        Raises:
            ValueError: An array has another shape, or the query holds NaN or infinite values.
            TypeError: An array is no such array.
            OverflowError: Scores of this query may leave float32.
        """


@dataclass(frozen=True, kw_only=True)
class ActiveKernels:
    """How item tables are searched in this process.

    Attributes:
        path: ``avx512``, ``avx2``, ``dotprod``, ``neon``, ``portable``, or ``numpy``.
        reason: Why it is this one, as a clause.
    """

    path: str
    reason: str


@cache
def active() -> ActiveKernels:
    """Return how item tables are searched; found out once.

    Raises:
        BackendError: ``EDGE_REC_KERNELS`` is none of its words.
    """
    return _loaded()[1]


def native() -> ModuleType | None:
    """Return the extension, or None where numpy searches.

    Raises:
        BackendError: See `active`.
    """
    return _loaded()[0]


@cache
def _loaded() -> tuple[ModuleType | None, ActiveKernels]:
    word = os.environ.get(VARIABLE, "")
    if word and word not in _WORDS:
        raise BackendError(f"{VARIABLE} is {word!r}; expected one of {', '.join(_WORDS)}, or unset it")
    if word == "off":
        return None, ActiveKernels(path="numpy", reason=f"{VARIABLE}=off")
    try:
        module = importlib.import_module("edge_rec_runtime._kernels")
    except ImportError as error:
        return None, ActiveKernels(path="numpy", reason=f"the kernels are not installed ({error}); a C compiler builds them")
    return module, _chosen(word, module.levels())


def _chosen(word: str, levels: tuple[str, ...]) -> ActiveKernels:
    """Choose among the levels that this CPU has, the lowest first."""
    if not word:
        return ActiveKernels(path=levels[-1], reason=f"the highest that this {platform.machine()} CPU has")
    if word in levels:
        return ActiveKernels(path=word, reason=f"{VARIABLE}={word}")
    family = _X86 if word in _X86 else _ARM
    path = levels[-1] if levels[-1] in family else "portable"
    return ActiveKernels(path=path, reason=f"{VARIABLE}={word}, which this {platform.machine()} CPU does not have")
