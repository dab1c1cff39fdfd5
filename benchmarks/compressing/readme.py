"""The few figures of compression that the README shows, taken from the rows."""

from __future__ import annotations

__all__ = ["readme_table"]

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compressing.page import Row

_SHOWN = {
    "int8": "all in eight bits, nothing trained",
    "binary": "12 bytes an item are searched, the best hundred scored in eight bits",
    "prune-80": "four of five weights pruned",
    "distil": "a student of half the width, in eight bits",
    "stacked": "a student of three eighths of the width, items in four bits, its network in eight",
}


def readme_table(rows: Sequence[Row]) -> str:
    """Return the table: variants for ONNX Runtime, as shares of the teacher's fp32 bundle."""
    lines = ["| variant | bytes of fp32 | NDCG@10 kept, 95 % | overlap@10 |", "|---|---|---|---|"]
    found = {row["variant"]: row for row in rows if row["target"] == "onnx"}
    for slug, words in _SHOWN.items():
        if slug in found:
            row = found[slug]
            low, high = row["ndcg_kept_ci"]
            lines.append(
                f"| `{slug}`: {words} | {row['bytes_ratio']:.3f} | {row['ndcg_kept']:.3f}, {low:.3f} - {high:.3f} | "
                f"{row['overlap_at_10']:.3f} |"
            )
    return "\n".join(lines)
