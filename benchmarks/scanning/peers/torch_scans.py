"""torch: a product and topk."""

from __future__ import annotations

__all__ = ["fp32", "int8"]

from typing import TYPE_CHECKING, Any

import torch

from scanning.contender import Contender

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanning.problems import Fp32Problem, Int8Problem

torch.set_num_threads(1)


def fp32(problem: Fp32Problem) -> Contender:
    """Return ``mv`` for one query, a matrix product for several."""
    table, queries, k = torch.from_numpy(problem.values), torch.from_numpy(problem.queries), problem.case.k
    single = problem.case.batch == 1

    @torch.inference_mode()
    def answer(number: int) -> NDArray[Any]:
        asked = queries[problem.part(number)]
        scores = torch.mv(table, asked[0])[None] if single else asked @ table.T
        found: NDArray[Any] = torch.topk(scores, k)[1].numpy()
        return found

    return Contender(name="torch mv, topk" if single else "torch mm, topk", answer=answer)


def int8(problem: Int8Problem) -> Contender:
    """Return ``_int_mm`` and topk."""
    table, queries, k = torch.from_numpy(problem.codes).T, torch.from_numpy(problem.whole), problem.case.k

    @torch.inference_mode()
    def answer(number: int) -> NDArray[Any]:
        found: NDArray[Any] = torch.topk(torch._int_mm(queries[problem.part(number)], table), k)[1].numpy()  # noqa: SLF001
        return found

    return Contender(name="torch _int_mm, topk", answer=answer)
