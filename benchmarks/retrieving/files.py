"""Graphs as the converter ships them, and what they are asked, kept in a folder so that all clients run the same files."""

from __future__ import annotations

__all__ = ["Made", "Shelf"]

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_rec_converters.kinds.protocol import Order
from edge_rec_runtime import Precision
from edge_rec_runtime.atomic import replace_file
from retrieving.cases import PRECISIONS, REFERENCE
from retrieving.catalogues import K, Problem, problem

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a client is given.

    Attributes:
        graph: The file.
        reference: ONNX Runtime's fp32 graph of the same catalogue.
        asked: JSON with ``histories`` and exact ``answers``, lists of rows.
    """

    graph: Path
    reference: Path
    asked: Path


class Shelf:
    """Makes files when they are first asked for.

    Args:
        folder: Where they are kept.
        run: Run directory of the model.
        data: Where data sets are kept.
        anew: Whether those of an earlier call are made again.
    """

    def __init__(self, folder: Path, *, run: Path, data: Path, anew: bool = False) -> None:
        self._folder, self._run, self._data, self._anew = folder, run, data, anew
        self._made: set[Path] = set()
        self._problem: tuple[tuple[int, str], Problem] | None = None

    def made(self, *, target: str, precision: str, rows: int, kind: str) -> Made:
        """Return the files of a case."""
        folder = self._folder / f"{kind}-{rows}"
        return Made(
            graph=self._graph(folder, target, precision, rows, kind),
            reference=self._graph(folder, "onnx", REFERENCE, rows, kind),
            asked=self._asked(folder, rows, kind),
        )

    def _graph(self, folder: Path, target: str, precision: str, rows: int, kind: str) -> Path:
        path = folder / f"{precision}.{target}"
        if self._wanted(path):
            order = Order(
                target=target, precision=Precision.parse(PRECISIONS[precision]), shadow="no", graph="retriever", graph_k=K
            )
            prepared = self._solved(rows, kind).prepared
            whole = prepared.complete(prepared.drafts(order)[0], order).retriever
            if whole is None:
                raise AssertionError(order)
            self._write(path, whole.graphs[target])
        return path

    def _asked(self, folder: Path, rows: int, kind: str) -> Path:
        path = folder / "asked.json"
        if self._wanted(path):
            found = self._solved(rows, kind)
            text = json.dumps({"histories": found.histories.tolist(), "answers": found.answers.tolist()})
            self._write(path, text.encode())
        return path

    def _wanted(self, path: Path) -> bool:
        return path not in self._made and (self._anew or not path.exists())

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda stream: stream.writelines([data]))
        self._made.add(path)

    def _solved(self, rows: int, kind: str) -> Problem:
        if self._problem is None or self._problem[0] != (rows, kind):
            self._problem = None  # one at a time: a million rows are large
            self._problem = ((rows, kind), problem(rows, kind, run=self._run, data=self._data))
        return self._problem[1]
