"""The figures of ``docs/search.md``: the rows of ``benchmarks/results/scan.json`` as tables that one can read."""

from __future__ import annotations

__all__ = ["COMMAND", "figures"]

from typing import TYPE_CHECKING, Any

from scanning.cases import CASES, GROWTH, PRECISIONS, SIZES
from scanning.goals import GOALS, reached

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Row = Mapping[str, Any]

COMMAND = "python benchmarks/scan.py --picture docs/img/scan.svg --page docs/search.md"
_TITLES = {
    "int8": "int8: eight bits on both sides",
    "fp32": "fp32",
    "hamming": "hamming: a bit a value on both sides",
    "bits": "bits: a bit a value of the items, eight of the query",
}
_HEAD = "| ours, ms | of the limit | fastest peer | its ms | ratio |"


def figures(result: Mapping[str, Any]) -> str:
    """Return the figures; the same rows give the same text.

    Args:
        result: What the JSON file holds.
    """
    rows = {row["case"]: row for row in result["rows"]}
    parts = [_machine(result), *(part for one in PRECISIONS for part in _growth(rows, one)), *_others(rows), *_goals(rows)]
    return "\n\n".join([*parts, *_wrong(rows.values())])


def _machine(result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    checked = sum(row["answers_checked"] for row in result["rows"])
    return (
        f"Machine: {machine['cpu']}, {machine['kernel']}; {packages}. {checked:,} answers were checked.\n"
        f"Written by `{COMMAND}`\nfrom [scan.json](../benchmarks/results/scan.json)."
    )


def _growth(rows: Mapping[str, Row], precision: str) -> list[str]:
    found = [rows[slug] for slug, case in GROWTH.items() if case.precision == precision and slug in rows]
    if not found:
        return []
    table = [f"| data | rows {_HEAD}", "|---" * 7 + "|"]
    table += [f"| {row['data']} | {row['n']:,} {_cells(row)}" for row in found]
    return [f"### {_TITLES[precision]}", "\n".join(table), *_recalls(found)]


def _recalls(found: Sequence[Row]) -> list[str]:
    """Say how many of the true results codes of a bit find: peers have codes of their own."""
    last = next((row for row in found if row["n"] == SIZES["100k"] and row["data"] == "gaussian"), None)
    if last is None or last["precision"] != "bits":
        return []
    shares = [f"{_name(one)} {one['recall']:.2f}" for one in last["contenders"] if one.get("recall") is not None]
    return [f"Share of the ten best by fp32 that are among these ten, 100,000 Gaussian rows: {', '.join(shares)}."]


def _others(rows: Mapping[str, Row]) -> list[str]:
    found = [row for slug, row in rows.items() if slug in CASES and slug not in GROWTH]
    if not found:
        return []
    table = [f"| precision | rows | dims | k | queries at once {_HEAD}", "|---" * 10 + "|"]
    table += [f"| {row['precision']} | {row['n']:,} | {row['d']} | {row['k']} | {row['batch']} {_cells(row)}" for row in found]
    return ["### Other widths, more results, several queries at once, and what a call costs", "\n".join(table)]


def _cells(row: Row) -> str:
    mine = "-" if row["ours_ms"] is None else f"{row['ours_ms']:.4g} ({row['ours']})"
    share, ratio = ("-" if row[name] is None else f"{row[name]:.2f}" for name in ("of_limit", "ratio"))
    return f"| {mine} | {share} | {row['best_peer']} | {row['best_peer_ms']:.4g} | {ratio} |"


def _goals(rows: Mapping[str, Row]) -> list[str]:
    table = ["| case | what | asked | found | reached |", "|---|---|---|---|---|"]
    for goal in GOALS:
        row = rows.get(goal.case)
        found = None if row is None else goal.found(row)
        sign = "<=" if goal.call else ">="
        cell = "not measured" if found is None else f"{found:.3g}"
        told = "yes" if row is not None and reached(goal, row) else "no"
        table.append(f"| `{goal.case}` | {goal.words} | {sign} {goal.bound:g} | {cell} | {told} |")
    return ["### What was asked for", "\n".join(table)]


def _wrong(rows: Iterable[Row]) -> list[str]:
    wrong: dict[str, list[str]] = {}
    for row in rows:
        for one in row["contenders"]:
            if one["fault"]:
                wrong.setdefault(f"{one['name']}: {one['fault']}", []).append(row["case"])
    lines = [f"- {what} ({', '.join(f'`{case}`' for case in cases)})" for what, cases in wrong.items()]
    return ["### Not raced", "\n".join(lines)] if wrong else []


def _name(one: Mapping[str, Any]) -> str:
    return "ours" if one["ours"] else str(one["name"])
