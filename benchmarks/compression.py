"""What compression costs and keeps: a SASRec made smaller in every way there is, each scored from its finished files.

    python benchmarks/compression.py --dataset ml-1m --json benchmarks/results/compression-ml-1m.json
    python benchmarks/compression.py --dataset ml-100k --only int8 --only prune-80 --seeds 1 --json /tmp/compression.json
    python benchmarks/compression.py --dataset ml-100k --seeds 1 --epochs-at-most 1 --users-at-most 50 --blocks 1 --json a.json
    python benchmarks/compression.py --picture docs/img/compression.svg --readme README.md --page > docs/compression-results.md

A row is a variant for one target. Its run directory is made by the shipped recipe from the teacher of each seed
(``--teachers``, trained where it is missing), converted, and the bundle asked for every test user, one request after the other.
``ndcg_kept`` is held against the teacher's fp32 bundle for the same target, and so are ``overlap_at_10`` and the latencies, of
which both take turns. Rows are merged into the JSON as soon as they are there; one that is there, of as many seeds and of the
recipe as it is now, is not made again, unless ``--again``. What was begun goes on in ``--output``: steps, epochs, bundles and
answers that are there are taken. The third command is the short form: it shows that every row can be made, and nothing more.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from compressing.figures import row_of
from compressing.files import TARGETS, Place
from compressing.page import page
from compressing.picture import draw
from compressing.readme import readme_table
from compressing.variants import CURVES, FURTHER, MAIN, TEACHER, VARIANTS
from readmes import with_table
from rows import merge, read_rows

from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path("benchmarks/results/compression-ml-1m.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the rows that are missing, show all that were asked for."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.page or asked.picture or asked.readme:
        return _written(asked)
    short = {"epochs": asked.epochs_at_most, "users": asked.users_at_most, "blocks": asked.blocks}
    if any(short.values()) and asked.json == RESULTS:
        parser.error(f"rows of less work would stand in the place of {RESULTS}'s; give another --json")
    torch.set_num_threads(1)
    place = Place(dataset=asked.dataset, data=asked.data, teachers=asked.teachers, output=asked.output, **short)
    slugs = asked.only or [TEACHER, *FURTHER, *MAIN, *(CURVES if asked.curves else ())]
    missing = []
    for slug in slugs:
        try:
            identity = place.identity(slug)
        except CompressionError as error:
            missing.append(f"{slug}: not measured, {error}")
            continue
        seeds = 1 if slug in CURVES else asked.seeds
        for target in TARGETS[:1] if slug in CURVES else TARGETS:
            if asked.again or not _there(read_rows(asked.json), (slug, target, identity), seeds):
                _merge(asked.json, asked.dataset, row_of(place, slug, target, seeds=seeds, seconds=asked.seconds))
    _show([row for row in read_rows(asked.json) if row["variant"] in slugs])
    for line in missing:
        print(line, file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", choices=("ml-100k", "ml-1m"), default="ml-1m", help="what teachers were trained on")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the rows are merged")
    parser.add_argument("--only", action="append", choices=VARIANTS, metavar="SLUG", help="unless given, the main rows")
    parser.add_argument("--curves", action="store_true", help="also the curves of the pruning criteria")
    parser.add_argument("--seeds", type=int, default=3, help="of the main rows; curves have one")
    parser.add_argument("--seconds", type=float, default=20.0, help="of timing, a seed and target")
    parser.add_argument("--epochs-at-most", type=int, metavar="N", help="of teachers and steps: to see that all of it works")
    parser.add_argument("--users-at-most", type=int, metavar="N", help="test users that are asked, to the same end")
    parser.add_argument("--blocks", type=int, metavar="N", help="of teachers that are trained now, to the same end")
    parser.add_argument("--again", action="store_true", help="also rows that are there")
    parser.add_argument("--data", type=Path, default=Path("datasets"), help="where data sets are kept")
    parser.add_argument("--teachers", type=Path, default=Path("runs/quality"), help="where run directories of teachers are kept")
    parser.add_argument("--output", type=Path, default=Path("runs/compression"), help="where variants are kept")
    parser.add_argument("--page", action="store_true", help="print the page of results from the rows that are there, and stop")
    parser.add_argument("--picture", type=Path, help="where the page's picture goes; measures nothing either")
    parser.add_argument("--readme", type=Path, help="whose table of compression is written anew; nor does this")
    return parser


def _written(asked: argparse.Namespace) -> int:
    result = json.loads(asked.json.read_text())
    if asked.picture:
        asked.picture.parent.mkdir(parents=True, exist_ok=True)
        asked.picture.write_text(draw(result["rows"]))
    if asked.readme:
        asked.readme.write_text(with_table(asked.readme.read_text(), readme_table(result["rows"])))
    if asked.page:
        print(page(result), end="")
    return 0


def _there(rows: Sequence[dict[str, Any]], key: tuple[str, str, str], seeds: int) -> bool:
    return any((row["variant"], row["target"], row["identity"]) == key and row["seeds"] >= seeds for row in rows)


def _merge(path: Path, dataset: str, made: dict[str, Any]) -> None:
    """Put a row into the file; rows stand in the order of the table."""
    order = list(VARIANTS)
    if other := [row["dataset"] for row in read_rows(path) if row["dataset"] != dataset]:
        raise SystemExit(f"{path} holds rows of {other[0]}, and these are of {dataset}; give another --json")
    merge(
        path,
        [made],
        key=lambda row: (row["variant"], row["target"]),
        order=lambda row: (order.index(row["variant"]) if row["variant"] in order else len(order), row["target"]),
        command=f"python benchmarks/compression.py --dataset {dataset} --json {path.name if path.is_absolute() else path}",
        packages=("numpy", "torch", "onnxruntime", "ai-edge-litert"),
    )


def _show(rows: Sequence[dict[str, Any]]) -> None:
    titles = f"{'variant':28} {'target':6} {'seeds':>5} {'model bytes':>11} {'ratio':>6} {'items':>6} {'each':>6}"
    print(f"{titles} {'NDCG@10':>7} {'kept':>6} {'95 %':13} {'overlap':>7} {'time':>6} {'network':>7}")
    for row in rows:
        kept, low, high = (math.nan if one is None else one for one in (row["ndcg_kept"], *row["ndcg_kept_ci"]))
        print(
            f"{row['variant']:28} {row['target']:6} {row['seeds']:5} {row['model_bytes']:11.0f} {row['bytes_ratio']:6.3f} "
            f"{row['item_bytes_ratio']:6.3f} {row['item_bytes_each']:6.1f} {row['ndcg_at_10']:7.4f} {kept:6.3f} "
            f"{low:.3f} - {high:.3f} {row['overlap_at_10']:7.4f} {row['latency_ratio']:6.3f} {row['network_latency_ratio']:7.3f}"
        )


if __name__ == "__main__":
    sys.exit(main())
