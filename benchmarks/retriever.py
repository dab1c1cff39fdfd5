"""What the retriever graph costs in apps: client x target x precision x rows, held against ONNX Runtime's fp32 graph.

    python benchmarks/retriever.py --quick --json /tmp/retriever.json
    python benchmarks/retriever.py --only python-tflite-int8-100k --json benchmarks/results/retriever.json
    python benchmarks/retriever.py --picture docs/img/retriever.svg --page docs/apps.md

The last measures nothing: it writes the picture and the figures of the page from the rows that are there.

The model is a SASRec (64 dims, 50 events, one block) trained on MovieLens-100K; its catalogue is grown with drawn items, and
64 real histories are asked for 100 items. The graphs are what ``edge-rec convert --graph retriever`` puts into bundles. A
client is a program that has an engine and the graph, and nothing of ours; in it the graph and ONNX Runtime's fp32 graph take
turns on one thread, each turn counts its fastest answer, and ``latency_ratio`` is the median of the ratios within a round;
the more of fp32's table the caches of a machine hold, the larger it is. ``recall_at_100`` is the share of the exact fp32
answers that is found. ``load_ms`` and ``peak_rss_mb`` are those of fresh processes, from opening the file to the first
answer. A row is merged into the JSON as soon as it is there, and not measured again, unless ``--again``.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages import show_rows
from retrieving.cases import CASES, QUICK
from retrieving.files import Shelf
from retrieving.measure import row_of
from retrieving.page import figures
from retrieving.picture import draw
from rows import merge, read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path("benchmarks/results/retriever.json")
_CLIENTS = Path("tests/clients/package.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the rows that are missing, show all that were asked for."""
    asked = _parser().parse_args(arguments)
    if asked.page or asked.picture:
        show_rows(asked.json, picture=asked.picture, draw=draw, page=asked.page, figures=figures)
        return 0
    slugs = asked.only or list(QUICK if asked.quick else CASES)
    shelf = Shelf(asked.files, runs=asked.runs, data=asked.data, anew=asked.anew)
    for slug in slugs:
        if not asked.again and any(row["case"] == slug for row in read_rows(asked.json)):
            continue
        print(f"{slug} ...", file=sys.stderr, flush=True)
        case = CASES[slug]
        row = row_of(case, shelf.made(case), seconds=asked.seconds, processes=1 if asked.quick else 3, packages=asked.packages)
        _merge(asked.json, row)
    _show([row for row in read_rows(asked.json) if row["case"] in slugs])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the rows are merged")
    parser.add_argument("--only", action="append", choices=CASES, metavar="CASE", help="unless given, all in retrieving/cases.py")
    parser.add_argument("--quick", action="store_true", help="one fresh process, and unless --only four cases of 10k items")
    parser.add_argument("--again", action="store_true", help="also cases whose rows are there")
    parser.add_argument("--anew", action="store_true", help="make the graphs again, also those that are there")
    parser.add_argument("--seconds", type=float, default=3.0, help="of rounds, a case")
    parser.add_argument("--files", type=Path, default=Path(".cache/retriever"), help="where graphs are kept")
    parser.add_argument(
        "--packages", type=Path, default=Path(".cache/clients/node_modules"), help="packages of the JavaScript clients"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where models are, trained where missing")
    parser.add_argument("--data", type=Path, default=Path("datasets"), help="where data sets are kept")
    parser.add_argument("--page", type=Path, help="page whose figures are written anew from the rows that are there")
    parser.add_argument("--picture", type=Path, help="where the page's picture goes; measures nothing either")
    return parser


def _merge(path: Path, made: dict[str, Any]) -> None:
    order = list(CASES)
    merge(
        path,
        [made],
        key=lambda row: row["case"],
        order=lambda row: order.index(row["case"]),
        command="python benchmarks/retriever.py --json benchmarks/results/retriever.json",
        packages=("numpy", "onnxruntime", "ai-edge-litert"),
        versions=json.loads(_CLIENTS.read_text())["devDependencies"],
    )


def _show(rows: list[dict[str, Any]]) -> None:
    print(f"{'case':42} {'ms':>8} {'ratio':>6} {'recall':>7} {'MB':>7} {'load ms':>8} {'peak MB':>8}")
    for row in rows:
        print(
            f"{row['case']:42} {row['ms']:>8.3f} {row['latency_ratio']:>6.3f} {row['recall_at_100']:>7.4f} "
            f"{row['bytes'] / 1e6:>7.2f} {row['load_ms']:>8.0f} {row['peak_rss_mb']:>8.0f}"
        )


if __name__ == "__main__":
    sys.exit(main())
