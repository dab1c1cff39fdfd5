"""``docs/conversion.md``: the rows of ``benchmarks/results/convert.json`` as a page that one can read."""

from __future__ import annotations

__all__ = ["COMMAND", "loss_lines", "page", "table_lines"]

from statistics import median
from typing import TYPE_CHECKING, Any

from conversion.causes import cause_of
from conversion.verdicts import KINDS, MEASURES, TIME_NOISE, comparisons, name_of, twins, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conversion.verdicts import Comparison, Row

COMMAND = "python benchmarks/convert.py --picture docs/img/conversion.svg --readme README.md --page > docs/conversion.md"
_TARGETS = {"onnx": "ONNX Runtime", "tflite": "LiteRT"}
_COLUMNS = ("bytes", "quality", "one at a time", "batch of 32")


def page(result: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        result: The file ``convert.json``, parsed.

    Raises:
        NoCauseError: A peer is ahead somewhere, and no cause is written for it.
    """
    rows: Sequence[Row] = result["rows"]
    presets = [one for one in comparisons(rows) if one.preset]
    parts = (
        _introduction(result),
        *_counted(presets),
        "![Quality lost against bytes, ours and the other tools](img/conversion.svg)",
        *(part for target in _TARGETS for part in _side_by_side(target, rows)),
        *_neighbours(rows),
        *_losses(presets),
        *_incorrect(rows),
        _method(rows),
    )
    return "\n\n".join(parts) + "\n"


def loss_lines(losses: Iterable[Comparison]) -> list[str]:
    """Write the losses, those of one cause together: the cause, then where and by how much."""
    grouped: dict[str, list[Comparison]] = {}
    for loss in losses:
        grouped.setdefault(f"{_TARGETS[loss.ours['target']]}: {cause_of(loss)}.", []).append(loss)
    return [line for cause, group in grouped.items() for line in (f"- {cause}", *_shortly(group))]


def table_lines(compared: Sequence[Comparison]) -> list[str]:
    """Write every comparison, one line a pair of files; ``!`` where ours is worse, ``+`` where better."""
    signs = {"better": "+", "equal": " ", "worse": "!"}
    pairs: dict[tuple[str, ...], dict[str, str]] = {}
    for one in compared:
        ours = one.ours
        cells = pairs.setdefault((ours["subject"], ours["target"], ours["precision"], one.theirs["tool"]), {})
        column = MEASURES[one.measure].title if MEASURES[one.measure].ratio else "quality"
        cells[column] = f"{name_of(one.measure, one.difference)}{signs[one.outcome]}"
    lines = [_line(("model", "target", "ours", "beside"), dict(zip(_COLUMNS, _COLUMNS, strict=True)))]
    return lines + [_line(pair, cells) for pair, cells in pairs.items()]


def _line(pair: Sequence[str], cells: Mapping[str, str]) -> str:
    subject, target, precision, tool = pair
    figures = " ".join(f"{cells.get(column, ''):>14}" for column in _COLUMNS)
    return f"{subject:18} {target:6} {precision:17} {tool:39} {figures}"


def _shortly(losses: Sequence[Comparison]) -> list[str]:
    """Write where peers are ahead, one line a peer, precision and column."""
    pieces: dict[str, list[str]] = {}
    for loss in losses:
        head = f"{loss.ours['precision']} beside `{loss.theirs['tool']}`, {MEASURES[loss.measure].title}"
        pieces.setdefault(head, []).append(f"{loss.ours['subject']} {name_of(loss.measure, loss.difference)}")
    return [f"  - {head}: {', '.join(where)}" for head, where in pieces.items()]


def _introduction(result: Mapping[str, Any]) -> str:
    machine, rows = result["machine"], result["rows"]
    subjects = list(dict.fromkeys(row["subject"] for row in rows))
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return f"""# How our conversions compare

Written by `{COMMAND}` from [convert.json](../benchmarks/results/convert.json).

{len(subjects)} models of the zoo, trained on MovieLens, in our precisions and in those of the general converters: ONNX Runtime's
`quantize_dynamic` and `quantize_static` on the graph that ours is made from, litert-torch with ai-edge-quantizer on the torch
module. All files of a model and a target are timed in turns on one thread, from item rows or features to the query or the logit;
where our graph begins behind the look-up of items, the runtime's look-up is counted with it. A peer's file is *correct* where
an answer does not depend on what else is in its batch and is not the same for everybody; others are named below and not
compared. Machine: {machine["cpu"]}, {machine["kernel"]}; {packages}."""


def _counted(presets: Sequence[Comparison]) -> list[str]:
    """Count for each peer how often our preset is better, equal and worse."""
    lines = [
        "## In short",
        "Our presets `fp32` and `int8` beside each correct peer of the same kind, model by model: better / equal within the "
        "noise / worse, and in brackets the median of ours over theirs.",
    ]
    table = ["| beside | models | bytes | quality | one at a time | batch of 32 |", "|---|---|---|---|---|---|"]
    for tool in dict.fromkeys(one.theirs["tool"] for one in presets):
        mine = [one for one in presets if one.theirs["tool"] == tool]
        models = len({one.ours["subject"] for one in mine})
        cells = (
            _score([one for one in mine if one.measure in measures])
            for measures in (("model_bytes",), ("overlap_at_10", "auc_delta"), ("latency_ms_b1",), ("latency_ms_b32",))
        )
        table.append(f"| `{tool}` | {models} | {' | '.join(cells)} |")
    return [*lines, "\n".join(table)]


def _score(compared: Sequence[Comparison]) -> str:
    if not compared:
        return "-"
    counts = " / ".join(str(sum(one.outcome == outcome for one in compared)) for outcome in ("better", "equal", "worse"))
    ratios = [one.difference for one in compared if MEASURES[one.measure].ratio]
    return f"{counts} ({median(ratios):.2f})" if ratios else counts


def _side_by_side(target: str, rows: Sequence[Row]) -> list[str]:
    """Write a target's int8 files, one line a model: kB, quality, milliseconds."""
    mine = [row for row in rows if row["target"] == target and row.get("precision") == "int8"]
    tools = list(dict.fromkeys(row["tool"] for row in mine))
    subjects = list(dict.fromkeys(row["subject"] for row in mine))
    if not subjects:
        return []
    table = [
        f"| model | fp32 score | {' | '.join('ours' if tool == 'edge-rec' else f'`{tool}`' for tool in tools)} |",
        "|---" * (len(tools) + 2) + "|",
    ]
    for subject in subjects:
        found = {row["tool"]: row for row in mine if row["subject"] == subject}
        row = found["edge-rec"]
        cells = " | ".join(_cell(found.get(tool)) for tool in tools)
        metric = "AUC" if row["metric"] == "auc" else "NDCG@10"
        table.append(f"| {subject} | {row['fp32_score']:.4f} {metric} | {cells} |")
    return [
        f"## int8 on {_TARGETS[target]}",
        "kB of graph and tables; overlap@10 with the fp32 model, or the change of AUC; milliseconds for one request and "
        "for a batch of 32.",
        "\n".join(table),
    ]


def _cell(row: Row | None) -> str:
    if row is None:
        return "-"
    kept = f"{row['overlap_at_10']:.4f}" if "overlap_at_10" in row else f"{round(row['auc_delta'], 4) + 0.0:+.4f}"
    size = f"{row['model_bytes'] / 1e3:.0f} kB, {kept}"
    single, batch = (value_of(row, measure) for measure in ("latency_ms_b1", "latency_ms_b32"))
    return f"{size}, *not correct*" if single is None or batch is None else f"{size}, {single:.3f} / {batch:.2f}"


def _neighbours(rows: Sequence[Row]) -> list[str]:
    mine = [row for row in rows if row["target"] == "any"]
    if not mine:
        return []
    table = ["| model | precision | kB | overlap@10 | a request, ms |", "|---|---|---|---|---|"]
    table += [
        f"| {row['subject']} | {row['precision']} | {row['model_bytes'] / 1e3:.0f} | {row['overlap_at_10']:.4f} "
        f"| {row['latency_ms_b1']:.3f} |"
        for row in mine
    ]
    return ["## Tables of neighbours", "They have no network, and no other tool converts them.", "\n".join(table)]


def _losses(presets: Sequence[Comparison]) -> list[str]:
    lines = loss_lines(one for one in presets if one.outcome == "worse")
    return ["## Where a peer is ahead", "\n".join(lines) or "Nowhere beyond the noise."]


def _incorrect(rows: Sequence[Row]) -> list[str]:
    wrong: dict[str, list[str]] = {}
    for row in rows:
        if not row["correct"]:
            wrong.setdefault(row["tool"], []).append(f"{row['subject']} ({row['cause']})")
    lines = [f"- `{tool}`: {', '.join(where)}" for tool, where in wrong.items()]
    return ["## Peers that are not correct", "\n".join(lines)] if wrong else []


def _method(rows: Sequence[Row]) -> str:
    same = twins(rows)
    seen = f" Networks of ours that are the same to the byte differed by up to {max(same):.0%} in one run." if same else ""
    variants = ", ".join(f"`{one}`" for one in KINDS["int8"][1:])
    return f"""## What counts as a difference

Bytes: any. Overlap@10: more than both 95 % intervals combined (root of the sum of their squared half widths). AUC: more than
.0005, half of what the gate lets through. Latency: more than {TIME_NOISE:.0%}.{seen}

- `python benchmarks/convert.py --verdicts` prints every comparison, those of {variants} too, and fails
  on a loss that has no cause in `benchmarks/conversion/causes.py`.
- `python benchmarks/convert.py --only sasrec@ml-100k --again` measures a model's rows anew."""
