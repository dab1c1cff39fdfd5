"""One random use of the kernels, right or wrong, and what must hold of it whatever comes.

A right question gets the reference's answer, at every level. A wrong one is refused with one of `REFUSALS`, or, where it happens
to be right, answered within bounds: rows of the table, each once, best first, and nothing written beyond. Nothing that is passed
in is kept after a refusal.
"""

from __future__ import annotations

__all__ = ["REFUSALS", "attack"]

import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from drawing import array_or_worse, number_or_worse, table
from questions import LEVEL, ROUNDED, Made, Question, expected_of, made_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFUSALS = (TypeError, ValueError, IndexError, OverflowError, BufferError, MemoryError)
_GUARD = -77  # what lies around the arrays that are written


def attack(native: Any, rng: np.random.Generator) -> None:  # noqa: ANN401 - the extension
    """Draw one use of the extension, make it, and assert what must hold."""
    question = _question(rng)
    if question is None:
        return
    level = str(rng.choice(native.levels()))
    match rng.integers(4):
        case 0 | 1:
            _honest(native, question, level)
        case 2:
            _wrong_table(native, question, level, rng)
        case _:
            _wrong_call(native, question, level, rng)


def _question(rng: np.random.Generator) -> Question | None:
    """Draw a question to a table; None where its layout has no kernel."""
    drawn = table(rng)
    made = made_by(drawn)
    if not isinstance(made, Made):
        return None
    queries = (rng.normal(size=(int(rng.integers(1, 5)), drawn.dims)) * 10.0 ** rng.integers(-2, 3)).astype(np.float32)
    allowed = rng.random(drawn.rows) < rng.choice([0, 0.02, 0.5, 1]) if rng.random() < 0.5 else None
    k = int(rng.choice([1, 2, 10, 33, drawn.rows, 2 * drawn.rows]))
    return Question(name=drawn.layout, table=drawn, made=made, queries=queries, allowed=allowed, k=k)


def _kernel(native: Any, made: Made, level: str) -> Any:  # noqa: ANN401
    def ready(argument: Any) -> Any:  # noqa: ANN401
        if isinstance(argument, Made):
            return _kernel(native, argument, level)
        return level if isinstance(argument, str) and argument == LEVEL else argument

    options = {name: ready(one) for name, one in made.options.items()}
    return getattr(native, made.kind)(*map(ready, made.arguments), **options)


def _right(native: Any, made: Made, level: str) -> Any:  # noqa: ANN401
    """Return the kernel of a right table; a shadow may refuse one whose bounds it cannot compute."""
    try:
        return _kernel(native, made, level)
    except ValueError:
        assert made.kind == "Shadow", "a right table was refused"
        return _kernel(native, made.arguments[0], level)


def _honest(native: Any, question: Question, level: str) -> None:  # noqa: ANN401
    kernel, batch, k = _right(native, question.made, level), len(question.queries), question.k
    guarded_rows, guarded_scores = np.full(batch * k + 64, _GUARD, np.int64), np.full(batch * k + 64, _GUARD, np.float32)
    rows, scores = (one[32 : 32 + batch * k].reshape(batch, k) for one in (guarded_rows, guarded_scores))
    found = kernel.top_k(question.queries, k, rows, scores, question.allowed, 1 + batch % 3)
    for one in (guarded_rows, guarded_scores):
        assert (one[:32] == _GUARD).all(), "wrote before the array"
        assert (one[-32:] == _GUARD).all(), "wrote behind the array"
    assert (rows[:, found:] == _GUARD).all(), "wrote more rows than were found"
    for have, told, (want, exact) in zip(rows[:, :found], scores[:, :found], expected_of(question), strict=True):
        if question.table.layout in ROUNDED:
            np.testing.assert_allclose(told, exact, rtol=0, atol=1e-5 * _scale(question))
        else:
            assert have.tolist() == want.tolist(), "other rows than the reference's"
            assert (told == exact).all(), "other scores than the reference's"


def _scale(question: Question) -> float:
    """Return a bound of the magnitude of scores, in which rounding is measured."""
    vectors = question.table.decode(np.arange(question.table.rows)).astype(np.float64)
    longest = np.sqrt((vectors**2).sum(axis=1).max()) * np.sqrt((question.queries.astype(np.float64) ** 2).sum(axis=1).max())
    return float(longest + np.abs(question.table.parts().get("bias", np.zeros(1))).max())


def _wrong_table(native: Any, question: Question, level: str, rng: np.random.Generator) -> None:  # noqa: ANN401
    arguments, options = list(question.made.arguments), dict(question.made.options)
    for _ in range(int(rng.integers(1, 3))):
        if options and rng.random() < 0.3:
            options[str(rng.choice(list(options)))] = number_or_worse(rng)
        else:
            place = int(rng.integers(len(arguments)))
            arguments[place] = _other(arguments[place], rng)
    held = [one for one in arguments if isinstance(one, np.ndarray)]
    before = [sys.getrefcount(one) for one in held]
    with suppress(*REFUSALS):
        kernel = _kernel(native, replace(question.made, arguments=tuple(arguments), options=options), level)
        _bounded(kernel, question.queries[0] if rng.random() < 0.5 else question.queries, question.k)
    kernel = None
    assert [sys.getrefcount(one) for one in held] == before, "an array is still held"


def _other(argument: Any, rng: np.random.Generator) -> Any:  # noqa: ANN401
    return array_or_worse(rng, argument) if isinstance(argument, np.ndarray) else number_or_worse(rng)


def _wrong_call(native: Any, question: Question, level: str, rng: np.random.Generator) -> None:  # noqa: ANN401
    kernel, k = _right(native, question.made, level), question.k
    batch = len(question.queries)
    allowed = np.ones(question.table.rows, bool) if question.allowed is None else question.allowed
    pool: list[Any] = [question.queries, k, np.empty((batch, k), np.int64), np.empty((batch, k), np.float32), allowed, 1]
    pool[int(rng.integers(6))] = _other(pool[int(rng.integers(6))], rng)
    name = str(rng.choice([one for one in dir(kernel) if not one.startswith("_") and callable(getattr(kernel, one))]))
    if name != "top_k":
        pool += [
            question.queries[0],
            rng.integers(-2, question.table.rows + 2, size=k),
            np.empty(question.table.rows, np.float32),
            np.empty((k, question.table.dims), np.float32),
        ]
        pool = [pool[place] for place in rng.integers(len(pool), size=int(rng.integers(7)))]
    held = [one for one in pool if isinstance(one, np.ndarray)]
    before = [sys.getrefcount(one) for one in held]
    with suppress(*REFUSALS):
        getattr(kernel, name)(*pool)
    assert [sys.getrefcount(one) for one in held] == before, "an array is still held"


def _bounded(kernel: Any, queries: NDArray[np.float32], k: int) -> None:  # noqa: ANN401
    """Ask, and look at what came back: rows of the table, each once, best first."""
    shape = (*queries.shape[:-1], k)
    rows, scores = np.full(shape, _GUARD, np.int64), np.full(shape, np.nan, np.float32)
    found = kernel.top_k(queries, k, rows, scores)
    assert 0 <= found <= min(k, kernel.rows), "found more than there is"
    for have, told in zip(rows.reshape(-1, k)[:, :found], scores.reshape(-1, k)[:, :found], strict=True):
        assert len(set(have.tolist())) == found, "a row twice"
        assert not found or (have.min() >= 0 and have.max() < kernel.rows), "no row of the table"
        assert (told[1:] <= told[:-1]).all(), "not best first, or not a number"
