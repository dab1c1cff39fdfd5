"""The figures of ``docs/requests.md``: the rows of ``benchmarks/results/request.json`` as tables, and what was asked for."""

from __future__ import annotations

__all__ = ["COMMAND", "figures"]

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Row = Mapping[str, Any]

COMMAND = "python benchmarks/request.py --page docs/requests.md"
_EAGER, _GRAPH = "torch eager", "onnxruntime fp32 graph"
_TIMES_EAGER, _EVENT_MS = 5, 0.3
_TITLES = {
    "request": "A whole request",
    "event": "One more event, all ways in turn",
    "event alone": "One more event, nothing else running between two",
}


def figures(result: Mapping[str, Any]) -> str:
    """Return the figures; the same rows give the same text.

    Args:
        result: What the JSON file holds.
    """
    rows: Sequence[Row] = result["rows"]
    machine = result["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    first = rows[0]
    parts = [
        f"SASRec on {first['dataset']}: {first['items']:,} items, {first['dims']} dims. Machine: {machine['cpu']}; {packages}.\n"
        f"Written by `{COMMAND}`\nfrom [request.json](../benchmarks/results/request.json)."
    ]
    for case, title in _TITLES.items():
        found = [row for row in rows if row["case"] == case]
        if found:
            parts += [f"### {title}", _times(found)]
    if cold := [row for row in rows if row["case"] == "cold start"]:
        parts += ["### Fresh processes", _cold(cold)]
    return "\n\n".join([*parts, "### What was asked for", _goals(rows)])


def _times(rows: Sequence[Row]) -> str:
    table = ["| way | p50, ms | p99, ms | of the first | the same ten items |", "|---|---|---|---|---|"]
    for row in rows:
        same = row.get("overlap_at_10", row.get("overlap_with_whole"))
        cell = "-" if same is None else f"{same:.3f}"
        of_first = row["cpu_p50_ms"] / rows[0]["cpu_p50_ms"]
        table.append(f"| {row['way']} | {row['p50_ms']:.2f} | {row['p99_ms']:.2f} | {of_first:.2f} | {cell} |")
    return "\n".join(table)


def _cold(rows: Sequence[Row]) -> str:
    table = ["| process | ms | above python -I | peak MB | above python -I |", "|---|---|---|---|---|"]
    table += [
        f"| {row['way']} | {row['ms']:.0f} | {row['above_python_ms']:.0f} | {row['peak_mb']:.0f} | {row['above_python_mb']:.0f} |"
        for row in rows
    ]
    return "\n".join(table)


def _goals(rows: Sequence[Row]) -> str:
    table = ["| what | asked | found | reached |", "|---|---|---|---|"]
    request = {row["way"]: row["cpu_p50_ms"] for row in rows if row["case"] == "request"}
    for way, ours in request.items():
        if not way.startswith("edge-rec"):
            continue
        table.append(_goal(f"{way}: PyTorch eager over it", f">= {_TIMES_EAGER}", request[_EAGER] / ours, least=_TIMES_EAGER))
        table.append(_goal(f"{way}: of ONNX Runtime's fp32 graph", "<= 1", ours / request[_GRAPH], most=1))
    table += [
        _goal(f"{row['way']}: event to ten items, ms", f"<= {_EVENT_MS}", row["p50_ms"], most=_EVENT_MS)
        for row in rows
        if row["case"] == "event alone"
    ]
    return "\n".join(table)


def _goal(what: str, asked: str, found: float, *, least: float | None = None, most: float | None = None) -> str:
    held = (least is None or found >= least) and (most is None or found <= most)
    return f"| {what} | {asked} | {found:.2f} | {'yes' if held else 'no'} |"
