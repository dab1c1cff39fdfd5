"""How fast the exact search is: precision x rows x dims x results x batch, beside the libraries that search as well.

    python benchmarks/scan.py --quick --json /tmp/scan.json
    python benchmarks/scan.py --only int8-1m --json benchmarks/results/scan.json
    python benchmarks/scan.py --picture docs/img/scan.svg --page docs/search.md

The last measures nothing: it writes the picture and the figures of the page from the rows that are there.

A case is measured in a process of its own, where ours, the peers and one plain read of the same bytes take turns on one thread,
timed from Python through the classes that a device uses; 64 queries are asked in turn, and every answer is checked. A peer whose
answers are wrong is listed with that fact and not raced. ``ratio`` is the fastest peer's time over ours, ``of_limit`` the plain
read's over ours: both are medians of the ratios within a round, which noise on the machine moves little. A row is merged into
the JSON as soon as it is there, and not measured again, unless ``--again``.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pages import show_rows
from rows import merge, read_rows
from scanning.cases import CASES, QUICK
from scanning.environment import VARIABLES, packages_of, peers_environment
from scanning.page import figures
from scanning.picture import draw

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path("benchmarks/results/scan.json")
_MEASURE = Path(__file__).with_name("scanning") / "measure.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the rows that are missing, show all that were asked for."""
    asked = _parser().parse_args(arguments)
    if asked.page or asked.picture:
        show_rows(asked.json, picture=asked.picture, draw=draw, page=asked.page, figures=figures)
        return 0
    slugs = asked.only or list(QUICK if asked.quick else CASES)
    missing = [slug for slug in slugs if asked.again or not any(row["case"] == slug for row in read_rows(asked.json))]
    if missing:
        python = peers_environment(asked.peers)
        trained = asked.peers.parent / "scan" / "trained.npz"
        if not trained.exists() and any(CASES[slug].data == "trained" for slug in missing):
            from scanning.trained import write_trained  # noqa: PLC0415 - it brings in torch

            write_trained(asked.run, trained, data=asked.data)
        for slug in missing:
            print(f"{slug} ...", file=sys.stderr, flush=True)
            seconds = asked.seconds if asked.seconds is not None else 3.0 if asked.quick else 20.0
            command = [str(python), str(_MEASURE), slug, str(seconds), str(trained)]
            done = subprocess.run(command, env=os.environ | VARIABLES, stdout=subprocess.PIPE, text=True, check=True)
            _merge(asked.json, json.loads(done.stdout), python)
    _show([row for row in read_rows(asked.json) if row["case"] in slugs])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the rows are merged")
    parser.add_argument("--only", action="append", choices=CASES, metavar="CASE", help="unless given, all; see scanning/cases.py")
    parser.add_argument("--quick", action="store_true", help="short timing, and unless --only up to 100k rows")
    parser.add_argument("--again", action="store_true", help="also cases whose rows are there")
    parser.add_argument("--seconds", type=float, help="of rounds, a case; unless given 20, with --quick 3")
    parser.add_argument("--peers", type=Path, default=Path(".cache/scan-peers"), help="the peers' environment, made when missing")
    parser.add_argument("--run", type=Path, default=Path("runs/quality/ml-1m/sasrec-0"), help="whose items and queries are taken")
    parser.add_argument("--data", type=Path, default=Path("datasets"), help="where data sets are kept")
    parser.add_argument("--page", type=Path, help="page whose figures are written anew from the rows that are there")
    parser.add_argument("--picture", type=Path, help="where the page's picture goes; measures nothing either")
    return parser


def _merge(path: Path, made: dict[str, Any], python: Path) -> None:
    order = list(CASES)
    merge(
        path,
        [made],
        key=lambda row: row["case"],
        order=lambda row: order.index(row["case"]),
        command="python benchmarks/scan.py --json benchmarks/results/scan.json",
        packages=("numpy", "torch", "onnxruntime"),
        versions=packages_of(python),
    )


def _show(rows: list[dict[str, Any]]) -> None:
    print(f"{'case':24} {'contender':34} {'ms':>9} {'x ours':>7} {'of limit':>8} {'recall':>7}")
    for row in rows:
        for one in sorted(row["contenders"], key=lambda one: one["ms"] or float("inf")):
            name = f"{one['name']} (ours)" if one["ours"] else one["name"]
            cells = [f"{row['case']:24} {name:34}"]
            cells += [_cell(one.get(key), width) for key, width in (("ms", 9), ("ratio", 7), ("of_limit", 8), ("recall", 7))]
            print(" ".join([*cells, one["fault"] or one.get("remark", "")]))


def _cell(value: float | None, width: int) -> str:
    return f"{'-' if value is None else f'{value:.4g}':>{width}}"


if __name__ == "__main__":
    sys.exit(main())
