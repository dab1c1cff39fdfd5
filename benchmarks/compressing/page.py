"""``docs/compression-results.md``: the rows of ``benchmarks/results/compression-ml-1m.json`` as a page that one can read."""

from __future__ import annotations

__all__ = ["COMMAND", "page", "shortfalls"]

from typing import TYPE_CHECKING, Any

from compressing.variants import CURVES, FURTHER, MAIN, PERCENTS, TEACHER, VARIANTS
from edge_rec.compress.prune import Prune

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from compressing.variants import Goal

    Row = Mapping[str, Any]

COMMAND = (
    "python benchmarks/compression.py --picture docs/img/compression.svg --readme README.md --page > docs/compression-results.md"
)
_GATES = Prune.gate_epochs
_MADE = "python benchmarks/compression.py --dataset ml-1m"
_SIZES = {
    "bytes_ratio": "model",
    "item_bytes_ratio": "items",
    "item_bytes_each": "bytes an item",
    "network_bytes_ratio": "network",
}
_TARGETS = {"onnx": "ONNX Runtime", "tflite": "LiteRT"}


def page(result: Mapping[str, Any]) -> str:
    """Return the page; the same rows give the same text.

    Args:
        result: What the JSON file holds.
    """
    rows: Sequence[Row] = result["rows"]
    parts = [
        "# What compression costs",
        f"Written by `{COMMAND}`\n"
        f"from [compression-ml-1m.json](../benchmarks/results/compression-ml-1m.json), whose rows `{_MADE}` measures.",
        _introduction(result),
        "![Bytes against NDCG@10 kept, and the criteria of pruning](img/compression.svg)",
        *(part for target in _TARGETS for part in _table(rows, target)),
        *_curves(rows),
        *_short(rows),
        _METHOD,
    ]
    return "\n\n".join(parts) + "\n"


def shortfalls(row: Row) -> list[str]:
    """Return where a row falls short of what was asked of it, a phrase each."""
    goal = VARIANTS[row["variant"]].goal
    if goal is None:
        return []
    found = []
    if row[goal.size] > goal.most:
        found.append(f"{_SIZES[goal.size]} {row[goal.size]:.3g} instead of {goal.most:.3g}")
    if row["ndcg_kept"] < goal.kept:
        found.append(f"NDCG@10 kept {row['ndcg_kept']:.4f} instead of {goal.kept:g}")
    if goal.overlap is not None and row["overlap_at_10"] < goal.overlap:
        found.append(f"overlap@10 {row['overlap_at_10']:.4f} instead of {goal.overlap:g}")
    if goal.network_latency is not None and row["network_latency_ratio"] > goal.network_latency:
        found.append(f"time of the network {row['network_latency_ratio']:.2f} instead of {goal.network_latency:g}")
    return found


def _introduction(result: Mapping[str, Any]) -> str:
    machine, rows = result["machine"], result["rows"]
    teachers = [row["teacher_ndcg_at_10"] for row in rows]
    ends = sorted({f"{one:.4f}" for one in teachers})
    scores = f" at NDCG@10 {' to '.join(dict.fromkeys((ends[0], ends[-1])))}" if ends else ""
    users = f"{max((row['users'] for row in rows), default=0):,}"
    cpu = machine.get("cpu") or machine.get("processor") or ""
    return (
        f"The teacher is a SASRec trained on MovieLens-1M{scores}. Each variant is made by a shipped recipe, converted,\n"
        f"and asked for all {users} test users, one request after the other, as a device would. Machine: {cpu}."
    )


def _table(rows: Sequence[Row], target: str) -> list[str]:
    chosen = [row for row in rows if row["target"] == target and row["variant"] in {TEACHER, *FURTHER, *MAIN}]
    if not chosen:
        return []
    lines = [
        "Sizes and times are shares of the teacher's fp32 bundle; in brackets what was asked for.",
        "",
        "| variant | what is done | seeds | model | items | bytes an item | network | NDCG@10 kept | 95 % "
        "| overlap@10 | time | reached |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        *map(_line, chosen),
    ]
    return [f"## {_TARGETS[target]}", "\n".join(lines)]


def _line(row: Row) -> str:
    variant = VARIANTS[row["variant"]]
    goal = variant.goal
    low, high = row["ndcg_kept_ci"]
    sizes = [_asked(row, goal, name) for name in ("bytes_ratio", "item_bytes_ratio", "item_bytes_each", "network_bytes_ratio")]
    kept = f"{row['ndcg_kept']:.4f}" + (f" (>= {goal.kept:g})" if goal else "")
    overlap = f"{row['overlap_at_10']:.4f}" + (f" (>= {goal.overlap:g})" if goal and goal.overlap is not None else "")
    reached = "-" if goal is None else "no" if shortfalls(row) else "yes"
    cells = [f"`{row['variant']}`", variant.title, str(row["seeds"]), *sizes, kept, f"{low:.3f} - {high:.3f}", overlap]
    return "| " + " | ".join([*cells, f"{row['latency_ratio']:.2f}", reached]) + " |"


def _asked(row: Row, goal: Goal | None, name: str) -> str:
    value = f"{row[name]:.1f}" if name == "item_bytes_each" else f"{row[name]:.3f}"
    return f"{value} (<= {goal.most:.3g})" if goal is not None and goal.size == name else value


def _curves(rows: Sequence[Row]) -> list[str]:
    found = {row["variant"]: row for row in rows if row["variant"] in CURVES and row["target"] == "onnx"}
    if not found:
        return []
    names = list(dict.fromkeys(slug.removeprefix("curve-").rpartition("-")[0] for slug in found))
    lines = [
        "One seed, each pruned at one stroke, then tuned for three epochs: NDCG@10 kept (95 % interval), overlap@10, share of",
        "the bytes. `random` is the control of weights, `random-neurons` that of whole neurons. The gates of `l0` learn for",
        f"{_GATES} epochs more, before the stroke.",
        "",
        f"| criterion | {' | '.join(f'{percent} % gone' for percent in PERCENTS)} |",
        "|---|" + "---|" * len(PERCENTS),
    ]
    for name in names:
        cells = [found.get(f"curve-{name}-{percent}") for percent in PERCENTS]
        lines.append(f"| `{name}` | {' | '.join('-' if row is None else _point(row) for row in cells)} |")
    return ["## Criteria of pruning", "\n".join(lines)]


def _point(row: Row) -> str:
    low, high = row["ndcg_kept_ci"]
    return f"{row['ndcg_kept']:.3f} ({low:.3f} - {high:.3f}), {row['overlap_at_10']:.3f}, {row['bytes_ratio']:.3f}"


def _short(rows: Sequence[Row]) -> list[str]:
    lines = [
        f"- `{row['variant']}`, {_TARGETS[row['target']]}: {'; '.join(found)}." for row in rows if (found := shortfalls(row))
    ]
    absent = [slug for slug in MAIN if not any(row["variant"] == slug for row in rows)]
    if absent:
        lines.append(f"- Not measured yet: {', '.join(f'`{slug}`' for slug in absent)}.")
    return ["## What falls short", "\n".join(lines) or "Nothing."]


_METHOD = """## How it is measured

- Bytes are those in the file: *model* is graph and tables, *items* what is scanned for each item, with its scale and, where it
  has been pruned, without its zeros; code books that all items share are apart (`shared_bytes` in the JSON), and so is the int8
  table from which the best candidates of `binary` are scored again (`rescore_bytes`).
- NDCG@10 kept is the ratio of means over users, averaged over seeds; each seed has a teacher and a variant of its own. The
  interval is a paired bootstrap over users. Overlap@10 is the share of the teacher's first ten items that are among the variant's
  first ten, everything seen left out.
- Variants that train have more training behind them than their teacher. The rows `fp32-further` are the teacher after as much,
  with nothing made smaller: what a variant keeps, divided by what they keep, is its share of a teacher that was trained as long.
- Times are those of single requests on one thread, beside the teacher's bundle, which takes turns with the variant's: the
  median of the ratios of neighbouring calls. `fp32` is the teacher beside itself: what it differs from 1 by is noise.
- Everything that was chosen was chosen on validation events. The test events were looked at once for each row, and again where
  its recipe has been changed since."""
