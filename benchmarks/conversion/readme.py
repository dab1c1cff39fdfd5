"""The few figures of conversion that the README shows, taken from the rows."""

from __future__ import annotations

__all__ = ["readme_table"]

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conversion.verdicts import Row

# A few of each kind; of the larger data set where its rows are there.
_SHOWN = ("sasrec", "gru4rec", "deepfm", "din")
_DATA = ("ml-1m", "ml-100k")


def readme_table(rows: Sequence[Row]) -> str:
    """Return the table: our int8 files beside the smallest correct ones of the other tools."""
    lines = [
        "| int8 | ONNX, ours | smallest of ONNX Runtime's | TFLite, ours | smallest of ai-edge-quantizer's |",
        "|---" * 5 + "|",
    ]
    for model in _SHOWN:
        found = [[row for row in rows if row["subject"] == f"{model}@{data}"] for data in _DATA]
        mine = next((subject for subject in found if subject), None)
        if mine:
            cells = (_cell(mine, target, ours=ours) for target in ("onnx", "tflite") for ours in (True, False))
            lines.append(f"| {mine[0]['subject']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(rows: Sequence[Row], target: str, *, ours: bool) -> str:
    fits = [
        row
        for row in rows
        if (row["target"], row.get("precision"), row["correct"]) == (target, "int8", True) and (row["tool"] == "edge-rec") is ours
    ]
    if not fits:
        return "none is correct"
    row = min(fits, key=lambda one: one["model_bytes"])
    kept = f"overlap {row['overlap_at_10']:.3f}" if "overlap_at_10" in row else f"AUC {round(row['auc_delta'], 4) + 0.0:+.4f}"
    return f"{row['model_bytes'] / 1e3:.0f} kB, {kept}"
