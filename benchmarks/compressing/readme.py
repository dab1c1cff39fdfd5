"""The few figures of compression that the README shows, taken from the rows."""

from __future__ import annotations

__all__ = ["readme_table"]

from typing import TYPE_CHECKING

from compressing.variants import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from compressing.page import Row

_SHOWN = {
    "int8": "all in eight bits, nothing trained",
    "binary": "12 bytes of an item are searched, the best hundred scored in eight bits, the network in float",
    "prune-80": "four of five weights pruned, the rest in float",
    "distil": "a student of half the width, in eight bits",
    "stacked": "a student of three eighths of the width, items in four bits, its network in eight",
}


def readme_table(rows: Sequence[Row]) -> str:
    """Return the table: variants for ONNX Runtime, as shares of the teacher's fp32 bundle."""
    head = ("recipe", "what is done", "bytes of fp32", "bytes an item searched", "NDCG@10 kept (95 % interval)", "overlap@10")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    found = {row["variant"]: row for row in rows if row["target"] == "onnx"}
    for slug, words in _SHOWN.items():
        if slug in found:
            row, recipe = found[slug], VARIANTS[slug].recipe
            low, high = row["ndcg_kept_ci"]
            name = f"none: `convert --precision {VARIANTS[slug].precision}`" if recipe is None else f"`{recipe}`"
            lines.append(
                f"| {name} | {words} | {row['bytes_ratio']:.3f} | {row['item_bytes_each']:.3g} | "
                f"{row['ndcg_kept']:.3f} ({low:.3f} - {high:.3f}) | {row['overlap_at_10']:.3f} |"
            )
    return "\n".join(lines)
