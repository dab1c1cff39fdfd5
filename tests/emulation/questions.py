"""Tables of every layout that has a kernel, questions to them, and what numpy's reference answers."""

from __future__ import annotations

__all__ = ["LEVEL", "ROUNDED", "Made", "Question", "Recorder", "asked", "expected_of", "made_by", "with_shadow", "write"]

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_runtime.codes import LAYOUTS, BinaryTable, HammingTable, PqTable
from edge_rec_runtime.codes.shadow import Shadow, Shadowed
from edge_rec_runtime.search import best

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec_runtime import ItemTable

# Layouts whose sums are floats: numpy adds in another order.
ROUNDED = frozenset({"fp32", "fp16"})
_SHAPES = ((1, 1), (15, 3), (16, 16), (17, 63), (100, 64), (333, 65), (257, 100), (700, 128), (65, 256))
LEVEL = "level"


@dataclass(frozen=True)
class Made:
    """What a type of the extension is called with.

    Attributes:
        kind: Name of the type.
        arguments: By place: arrays, numbers, other kernels, None; `LEVEL` stands where the level goes.
        options: The same by name.
    """

    kind: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def kinds(self) -> set[str]:
        """Return the names of this type and of those within."""
        return {self.kind}.union(*(one.kinds() for one in self.arguments if isinstance(one, Made)))


@dataclass(frozen=True, kw_only=True)
class Question:
    """A table, what its kernel is made of, and what it is asked.

    Attributes:
        name: Of the table's layout, the shape, and the place among the questions.
        table: The table.
        made: How its kernel is made.
        queries: [batch, dims].
        allowed: Rows that may be returned [rows]; None for all.
        k: Results.
    """

    name: str
    table: ItemTable
    made: Made
    queries: NDArray[np.float32]
    allowed: NDArray[np.bool_] | None
    k: int


class Recorder:
    """Stands where a table expects the extension, and tells what the table would make."""

    def __getattr__(self, kind: str) -> Callable[..., Made]:
        return lambda *arguments, **options: Made(kind, arguments, options)


def made_by(table: ItemTable) -> Made | None:
    """Return what a table makes of the extension, None if nothing; a shadow is to be used however few rows there are."""
    made: Made | None = table._make_kernel(Recorder(), LEVEL)  # type: ignore[attr-defined]
    return replace(made, options={}) if made is not None and made.kind == "Shadow" else made


def asked() -> Iterator[Question]:
    """Yield the questions, always the same."""
    rng = np.random.default_rng(0)
    for rows, dims in _SHAPES:
        values = rng.normal(size=(rows, dims)).astype(np.float32)
        values[rng.random(rows) < 0.1] = 0
        bias = rng.normal(size=rows).astype(np.float32)
        for layout, table in _tables(values, bias, rng):
            made = made_by(table)
            if made is None:
                continue
            for place, (batch, share, k) in enumerate(((1, None, 10), (3, 0.4, 5), (1, 0.02, 2 * rows), (2, None, rows))):
                queries = rng.normal(size=(batch, table.dims)).astype(np.float32)
                allowed = None if share is None else rng.random(rows) < share
                name = f"{layout}-{rows}x{dims}-{place}"
                yield Question(name=name, table=table, made=made, queries=queries, allowed=allowed, k=k)


def _tables(values: NDArray[np.float32], bias: NDArray[np.float32], rng: np.random.Generator) -> Iterator[tuple[str, ItemTable]]:
    signs = values > 0
    yield "binary", BinaryTable.pack(signs)
    yield "binary-scaled", BinaryTable.pack(signs, np.abs(values).mean(axis=1), bias)
    yield "hamming", HammingTable(np.packbits(signs, axis=1), dims=signs.shape[1])
    pieces = rng.normal(size=(max(1, values.shape[1] // 4), 16, 4))
    yield "pq", PqTable.pack(rng.integers(16, size=(len(values), len(pieces))), pieces, bias)
    for layout, kind in LAYOUTS.items():
        if kind not in {BinaryTable, PqTable}:
            yield layout, kind.encode(values)  # type: ignore[attr-defined]
            table: Any = kind.encode(values, bias)  # type: ignore[attr-defined]
            yield f"{layout}-bias", table
            if isinstance(table, Shadowed):
                yield f"{layout}-shadow", with_shadow(table)


def with_shadow(table: Any) -> Any:  # noqa: ANN401 - of the same layout
    """Return a table with its shadow."""
    return table.with_shadow(Shadow.encode(table))


def expected_of(question: Question) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yield rows and scores of each query."""
    table, every = question.table, np.arange(question.table.rows)
    rows = every if question.allowed is None else np.flatnonzero(question.allowed)
    bias = table.parts().get("bias", np.zeros(len(every)))
    for query in question.queries:
        # scores of floats are the kernel's own everywhere: here they are added up in double precision
        rounded = table.layout in ROUNDED
        scores = (table.decode(every).astype(np.float64) @ query + bias).astype(np.float32) if rounded else table.scores(query)
        yield best(rows, scores[rows], question.k)


def write(questions: list[Question], path: Path) -> None:
    """Write what `answer_kernels` reads."""
    held: dict[str, NDArray[Any]] = {}
    said: dict[str, Any] = {}
    for one in questions:
        held[f"{one.name}/queries"] = one.queries
        if one.allowed is not None:
            held[f"{one.name}/allowed"] = one.allowed
        said[one.name] = {"made": _told(one.made, one.name, held), "k": min(one.k, one.table.rows)}
    held["questions"] = np.frombuffer(json.dumps(said).encode(), np.uint8)
    np.savez(path, **held)  # type: ignore[arg-type]


def _told(made: Made, name: str, held: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Return in words of JSON how a kernel is made; its arrays are put to those held."""
    told: dict[str, Any] = {}
    named: dict[Any, Any] = {**dict(enumerate(made.arguments)), **made.options}
    for place, argument in named.items():
        if isinstance(argument, Made):
            told[str(place)] = _told(argument, f"{name}/{place}", held)
        elif isinstance(argument, np.ndarray):
            held[f"{name}/{place}"] = argument
            told[str(place)] = {"array": f"{name}/{place}"}
        else:
            told[str(place)] = {"value": argument}
    return {"kind": made.kind, "arguments": told}
