"""Graphs as the converter ships them, and what they are asked, kept in a folder so that all clients run the same files."""

from __future__ import annotations

__all__ = ["Made", "Shelf"]

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge_rec_converters.kinds.protocol import Order
from edge_rec_runtime import Precision
from edge_rec_runtime.atomic import replace_file
from retrieving.cases import MODELS, PRECISIONS, REFERENCE
from retrieving.catalogues import K, Problem, problem

if TYPE_CHECKING:
    from pathlib import Path

    from retrieving.cases import Case


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
        runs: The folder of runs.
        data: Where data sets are kept.
        anew: Whether those of an earlier call are made again.
    """

    def __init__(self, folder: Path, *, runs: Path, data: Path, anew: bool = False) -> None:
        self._folder, self._runs, self._data, self._anew = folder, runs, data, anew
        self._made: set[Path] = set()
        self._problem: tuple[Path, Problem] | None = None

    def made(self, case: Case) -> Made:
        """Return the files of a case."""
        return Made(
            graph=self._graph(case),
            reference=self._graph(replace(case, target="onnx", precision=REFERENCE)),
            asked=self._asked(case),
        )

    def _graph(self, case: Case) -> Path:
        path = self._of(case) / f"{case.precision}.{case.target}"
        if self._wanted(path):
            asked = Precision.parse(PRECISIONS[case.precision])
            order = Order(target=case.target, precision=asked, shadow="no", graph="retriever", graph_k=K)
            prepared = self._solved(case).prepared
            whole = prepared.complete(prepared.drafts(order)[0], order).retriever
            if whole is None:
                raise AssertionError(order)
            self._write(path, whole.graphs[case.target])
        return path

    def _asked(self, case: Case) -> Path:
        path = self._of(case) / "asked.json"
        if self._wanted(path):
            found = self._solved(case)
            text = json.dumps({"histories": found.histories.tolist(), "answers": found.answers.tolist()})
            self._write(path, text.encode())
        return path

    def _of(self, case: Case) -> Path:
        return self._folder / f"{case.model}-{case.data}-{case.rows}"

    def _wanted(self, path: Path) -> bool:
        return path not in self._made and (self._anew or not path.exists())

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda stream: stream.writelines([data]))
        self._made.add(path)

    def _solved(self, case: Case) -> Problem:
        place = self._of(case)
        if self._problem is None or self._problem[0] != place:
            self._problem = None  # one at a time: a million rows are large
            found = problem(case.rows, case.data, MODELS[case.model], runs=self._runs, data=self._data)
            self._problem = (place, found)
        return self._problem[1]
