"""A whole request: ids of a history in, ten recommended ids out; ours beside PyTorch, ONNX Runtime and LiteRT.

    python benchmarks/request.py --json benchmarks/results/request.json
    python benchmarks/request.py --dataset ml-100k --seconds 5 --json request.json
    python benchmarks/request.py --page docs/requests.md

The last measures nothing. Three cases. ``request``: held-out histories in turn, all ways in one process, one thread, what each
gives held against PyTorch. ``event``: a history grows by one event; a session goes on from what it remembers, the others encode
the whole history; then the sessions alone. ``cold start``: fresh processes, from exec to the first answer, beside imports of what
others need.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from pages import with_figures
from requesting.cold import cold_starts
from requesting.events import event_rows
from requesting.page import figures
from requesting.peers import K, eager, litert_graph, onnxruntime_graph, whole_graph
from requesting.rounds import rounds

from edge_rec.models import load_run
from edge_rec_converters import convert, prepare
from edge_rec_devices.environment import describe
from edge_rec_runtime import Precision, Recommender, read_histories
from edge_rec_runtime.atomic import replace_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_rec_converters.protocol import Retriever
    from edge_rec_runtime import History

    Answer = Callable[[Sequence[str]], Sequence[tuple[str, float]]]

RESULT = Path(__file__).with_name("results") / "request.json"
DATASETS = ("ml-100k", "ml-1m")
CASES = ("request", "event", "cold")
EAGER = "torch eager"
_HISTORIES = 256
_JUDGED = 1000  # held-out histories that the bundles are verified on


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and write what was asked for."""
    asked = _parser().parse_args(arguments)
    if asked.page:
        asked.page.write_text(with_figures(asked.page.read_text(), figures(json.loads(RESULT.read_text()))))
        return 0
    torch.set_num_threads(1)
    run = asked.run or Path("runs/quality") / asked.dataset / "sasrec-0"
    model, histories = load_run(run).source(), read_histories(run / "heldout" / "test.jsonl")
    given = [one.events for one in histories[:: max(1, len(histories) // _HISTORIES)]][:_HISTORIES]
    with tempfile.TemporaryDirectory(prefix="edge-rec-") as folder:
        bundles = _bundles(model, histories, asked.bundles or Path(folder))
        opened = {f"edge-rec {target} int8": Recommender.open(path) for target, path in bundles.items()}
        rows: list[dict[str, Any]] = []
        if "cold" in asked.cases:
            found, skipped = cold_starts(bundles, given[0], peers=asked.peers, times=asked.processes)
            rows += found
            for name, reason in skipped.items():
                print(f"{name} is not measured: {reason}", file=sys.stderr)
        if "event" in asked.cases:
            rows += event_rows(opened, {EAGER: eager(model, compiled=False)}, given)
        if "request" in asked.cases:
            rows += _requests(
                _ways(model, compiled=not asked.uncompiled) | {name: _ours(one) for name, one in opened.items()},
                given,
                asked.seconds,
            )
    _show(rows)
    if asked.json:
        record = {
            "schema": 1,
            "command": f"python benchmarks/request.py --dataset {asked.dataset} --json {asked.json}",
            "machine": asdict(describe(packages=("numpy", "torch", "onnxruntime", "ai-edge-litert"))),
            "rows": [
                {"dataset": asked.dataset, "items": len(model.catalogue), "dims": model.item_table.shape[1], **row}
                for row in rows
            ],
        }
        replace_file(asked.json, lambda stream: stream.write(json.dumps(record, indent=1).encode() + b"\n"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where the rows are written")
    parser.add_argument("--page", type=Path, help="page whose figures are written anew from the committed rows; measures nothing")
    parser.add_argument("--dataset", choices=DATASETS, default="ml-1m")
    parser.add_argument("--run", type=Path, help="a run directory of SASRec; unless given, that of benchmarks/quality.py")
    parser.add_argument("--bundles", type=Path, help="folder where bundles are kept and found again")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the rounds of whole requests, for all ways together")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=CASES)
    parser.add_argument("--uncompiled", action="store_true", help="leave torch.compile out, which takes minutes to compile")
    parser.add_argument("--processes", type=int, default=9, help="fresh processes of each kind")
    parser.add_argument("--peers", type=Path, help="a Python interpreter that has faiss-cpu")
    return parser


def _bundles(model: Retriever, histories: Sequence[History], folder: Path) -> dict[str, Path]:
    """Return the int8 bundle for each target, converted where it is not there."""
    paths = {target: folder / f"request-{target}.edgerec" for target in ("onnx", "tflite")}
    missing = [target for target, path in paths.items() if not path.exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        prepared = prepare(model, histories[:_JUDGED], targets=missing)
        for target in missing:
            print(f"converting for {target} ...", file=sys.stderr, flush=True)
            convert(prepared, target=target, precision=Precision.parse("int8"), output=paths[target], incremental=True)
    return paths


def _ways(model: Retriever, *, compiled: bool) -> dict[str, Answer]:
    graph = whole_graph(model)
    ways: dict[str, Answer] = {EAGER: eager(model, compiled=False)}
    if compiled:
        ways["torch.compile"] = eager(model, compiled=True)
    ways["onnxruntime fp32 graph"] = onnxruntime_graph(model, graph)
    ways["litert fp32 graph"] = litert_graph(model, graph)
    return ways


def _ours(recommender: Recommender) -> Answer:
    return lambda history: recommender.recommend(history, k=K)


def _requests(ways: dict[str, Answer], given: Sequence[Sequence[str]], seconds: float) -> list[dict[str, Any]]:
    wanted = [{one for one, _ in ways[EAGER](history)} for history in given]
    kept = {
        name: sum(len(best & {item for item, _ in answer(one)}) for one, best in zip(given, wanted, strict=True)) / K / len(given)
        for name, answer in ways.items()
    }
    times = rounds(ways, given, seconds=seconds, beside=EAGER)
    return [{"case": "request", "way": name, "k": K, "overlap_at_10": kept[name], **asdict(times[name])} for name in ways]


def _show(rows: list[dict[str, Any]]) -> None:
    """Print every case as a table of its figures."""
    for case in dict.fromkeys(row["case"] for row in rows):
        of_case = [row for row in rows if row["case"] == case]
        names = [name for name, value in of_case[0].items() if isinstance(value, float) or value is None]
        print(f"\n{case:34}" + "".join(f"{name:>20}" for name in names))
        for row in of_case:
            print(
                f"  {row['way']:32}" + "".join(f"{'-' if row[name] is None else format(row[name], '.3f'):>20}" for name in names)
            )


if __name__ == "__main__":
    sys.exit(main())
