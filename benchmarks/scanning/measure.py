"""Measures one case in this process, and prints its row as JSON. Run by ``benchmarks/scan.py`` in the peers' environment.

python benchmarks/scanning/measure.py CASE SECONDS TRAINED
"""

from __future__ import annotations

__all__ = ["main", "row_of"]

import json
import os
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from scanning.cases import CASES
from scanning.data import table
from scanning.limit import limits
from scanning.ours import OURS
from scanning.problems import PROBLEMS, BitsProblem, Problem
from scanning.rounds import Times, median_ratio, rounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from scanning.cases import Case
    from scanning.contender import Contender


def main(arguments: list[str]) -> None:
    """Print the row of a case."""
    from scanning.peers import PEERS  # noqa: PLC0415 - only the peers' environment has them

    slug, seconds, trained = arguments
    print(json.dumps(row_of(CASES[slug], PEERS[CASES[slug].precision], float(seconds), Path(trained))))


def row_of(case: Case, peers: Iterable[Callable[[Any], Contender]], seconds: float, trained: Path) -> dict[str, Any]:
    """Return the row of a case.

    Args:
        case: What is measured.
        peers: Makers of those that race.
        seconds: How long the rounds go on.
        trained: The ``.npz`` of a trained model.
    """
    problem = PROBLEMS[case.precision](case, *table(case, trained))
    ours, faults = OURS[case.precision](problem), {}
    made = []
    for make in peers:
        try:
            made.append(make(problem))
        except Exception as error:  # noqa: BLE001 - whatever a library raises is its result
            faults[make.__name__] = f"fails: {str(error)[:200]}"
    judge = _Judge(problem, [*ours, *made])
    for one in (*ours, *made):
        for number in range(problem.batches if case.rows <= 100_000 else 2):
            judge(one.name, number, one.answer(number))
    if wrong := [one.name for one in ours if one.name in judge.faults]:
        raise SystemExit(f"{case.slug}: {wrong[0]} is wrong: {judge.faults[wrong[0]]}")
    reads = limits(problem)
    racing = [*reads, *(one for one in (*ours, *made) if one.name not in judge.faults)]
    times = rounds({one.name: one.answer for one in racing}, inputs=problem.batches, seconds=seconds, seen=judge)
    if wrong := [one.name for one in ours if one.name in judge.faults]:
        raise SystemExit(f"{case.slug}: {wrong[0]} is wrong: {judge.faults[wrong[0]]}")
    fastest = min((times.pop(one.name) for one in reads), key=_middle, default={})
    return _row(case, times=times, limit=fastest, judge=judge, contenders=[*ours, *made], faults=faults | judge.faults)


class _Judge:
    """Looks at every answer, and remembers who was wrong, and how much of the true results each found."""

    def __init__(self, problem: Problem, contenders: Iterable[Contender]) -> None:
        self._problem, self._known = problem, {one.name: one.ours for one in contenders}
        self.faults: dict[str, str] = {}
        self.recalls: dict[str, dict[int, float]] = {}
        self.checked = 0

    def __call__(self, name: str, number: int, rows: Any) -> None:  # noqa: ANN401 - whatever a library returns
        """Check one answer."""
        if name not in self._known:
            return  # a plain read
        self.checked += 1
        if fault := self._problem.fault(number, rows, ours=self._known[name]):
            self.faults.setdefault(name, fault)
        elif isinstance(self._problem, BitsProblem):
            self.recalls.setdefault(name, {})[number] = self._problem.recall(number, rows)


def _row(
    case: Case,
    *,
    times: Mapping[str, Times],
    limit: Times,
    judge: _Judge,
    contenders: Iterable[Contender],
    faults: Mapping[str, str],
) -> dict[str, Any]:
    known = {one.name: one for one in contenders}
    middle = {name: _middle(taken) for name, taken in times.items()}
    mine = min((name for name in middle if known[name].ours), key=middle.__getitem__, default="")
    best = min((name for name in middle if not known[name].ours and name not in faults), key=middle.__getitem__, default="")
    tables = [
        {
            "name": name,
            "ours": one.ours,
            "ms": middle.get(name),
            "ratio": median_ratio(times[name], times[mine]) if mine and name in times else None,
            "of_limit": median_ratio(limit, times[name]) if limit and name in times else None,
            "recall": _mean(judge.recalls.get(name, {}).values()),
            "fault": faults.get(name, ""),
            "remark": one.remark,
        }
        for name, one in known.items()
    ]
    tables += [{"name": name, "ours": False, "ms": None, "fault": fault} for name, fault in faults.items() if name not in known]
    row = {
        "case": case.slug,
        "tool": "edge-rec",
        "precision": case.precision,
        "n": case.rows,
        "d": case.dims,
        "k": case.k,
        "batch": case.batch,
        "data": case.data,
        "ours": mine,
        "ours_ms": middle.get(mine),
        "best_peer": best,
        "best_peer_ms": middle.get(best),
        "ratio": median_ratio(times[best], times[mine]) if mine and best else None,
        "limit_ms": _middle(limit) if limit else None,
        "of_limit": median_ratio(limit, times[mine]) if mine and limit else None,
        "rounds": len(times[mine]) if mine else 0,
        "answers_checked": judge.checked,
        "load_average": os.getloadavg()[0],
        "contenders": tables,
    }
    rounded: dict[str, Any] = _rounded(row)
    return rounded


def _middle(times: Times) -> float:
    return median(times.values())


def _mean(values: Iterable[float]) -> float | None:
    held = list(values)
    return sum(held) / len(held) if held else None


def _rounded(value: Any) -> Any:  # noqa: ANN401 - of JSON
    """Return the same with floats of four significant digits."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main(sys.argv[1:])
