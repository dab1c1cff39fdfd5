"""The figures of ``docs/apps.md``: the rows of ``benchmarks/results/retriever.json`` as tables that one can read."""

from __future__ import annotations

__all__ = ["COMMAND", "figures"]

from typing import TYPE_CHECKING, Any

from retrieving.cases import CLIENTS, PRECISIONS
from retrieving.goals import GOALS, reached

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Row = Mapping[str, Any]

COMMAND = "python benchmarks/retriever.py --picture docs/img/retriever.svg --page docs/apps.md"
_TITLES = {
    "python": "Python: onnxruntime and ai-edge-litert",
    "node": "Node: onnxruntime-node",
    "wasm": "WebAssembly: onnxruntime-web, in Node",
    "litert.js": "LiteRT.js, in Chromium; fp32 is onnxruntime-web's in the same page",
}
_HEAD = "| items | data | target | precision | ms | of fp32's time | recall@100 | file, MB | load, ms | peak memory, MB |"


def figures(result: Mapping[str, Any]) -> str:
    """Return the figures; the same rows give the same text.

    Args:
        result: What the JSON file holds.
    """
    rows = {row["case"]: row for row in result["rows"]}
    return "\n\n".join(
        [_machine(result), *_goals(rows), *(part for client in CLIENTS for part in _client(rows.values(), client))]
    )


def _machine(result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items() if name in _SHOWN)
    return (
        f"Machine: {machine['cpu']}, {machine['kernel']}, one thread; {packages}.\n"
        f"Written by `{COMMAND}`\nfrom [retriever.json](../benchmarks/results/retriever.json)."
    )


_SHOWN = ("numpy", "onnxruntime", "ai-edge-litert", "onnxruntime-node", "onnxruntime-web", "@litertjs/core")


def _goals(rows: Mapping[str, Row]) -> list[str]:
    table = ["| case | what | asked | found | reached |", "|---|---|---|---|---|"]
    for goal in GOALS:
        row, sign = rows.get(goal.case), ">=" if goal.least else "<="
        cell = "not measured" if row is None else f"{row[goal.figure]:.3g}"
        told = "yes" if row is not None and reached(goal, row) else "no"
        table.append(f"| `{goal.case}` | {goal.words} | {sign} {goal.bound:g} | {cell} | {told} |")
    return ["### What was asked for", "\n".join(table)]


def _apart(row: Row) -> str:
    return "" if row["model"] == "small" else f", {row['model']}"


def _client(rows: Iterable[Row], client: str) -> list[str]:
    found = [row for row in rows if row["client"] == client]
    if not found:
        return []
    words = list(PRECISIONS)
    found.sort(key=lambda row: (row["model"] != "small", row["n"], row["data"], row["target"], words.index(row["precision"])))
    table = [_HEAD, "|---" * 10 + "|"]
    table += [
        f"| {row['n']:,} | {row['data']}{_apart(row)} | {row['target']} | {row['precision']} "
        f"| {row['ms']:.3g} | {row['latency_ratio']:.2f} | "
        f"{row['recall_at_100']:.4f} | {row['bytes'] / 1e6:.2f} | {row['load_ms']:.0f} | {row['peak_rss_mb']:.0f} |"
        for row in found
    ]
    return [f"### {_TITLES[client]}", "\n".join(table)]
