"""A whole request: ids of a history in, ten recommended ids out; ours beside PyTorch, ONNX Runtime and LiteRT.

    python benchmarks/request.py --json benchmarks/results/request.json
    python benchmarks/request.py --dataset ml-100k --seconds 5 --json request.json

All ways take the same held-out histories in turn, in one process, one thread; what each gives is held against PyTorch.
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
from requesting.peers import K, eager, litert_graph, onnxruntime_graph, whole_graph
from requesting.rounds import rounds

from edge_rec.models import load_run
from edge_rec_converters import convert, prepare
from edge_rec_devices.environment import describe
from edge_rec_runtime import Precision, Recommender, read_histories

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Answer = Callable[[Sequence[str]], Sequence[tuple[str, float]]]

DATASETS = ("ml-100k", "ml-1m")
_HISTORIES = 256
_CALIBRATED = 1000
EAGER = "torch eager"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and write what was asked for."""
    asked = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    run = asked.run or Path("runs/quality") / asked.dataset / "sasrec-0"
    model = load_run(run).source()
    histories = read_histories(run / "heldout" / "test.jsonl")
    given = [one.events for one in histories[:: max(1, len(histories) // _HISTORIES)]][:_HISTORIES]
    with tempfile.TemporaryDirectory(prefix="edge-rec-") as folder:
        bundles = _bundles(model, histories, asked.bundles or Path(folder))
        ways: dict[str, Answer] = {
            EAGER: eager(model, compiled=False),
            "torch.compile": eager(model, compiled=True),
        }
        graph = whole_graph(model)
        ways["onnxruntime fp32 graph"] = onnxruntime_graph(model, graph)
        ways["litert fp32 graph"] = litert_graph(model, graph)
        for target, path in bundles.items():
            ways[f"edge-rec {target} int8"] = _ours(path)
        rows = _requests(ways, given, seconds=asked.seconds)
    _show(rows)
    if asked.json:
        record = {
            "schema": 1,
            "command": f"python benchmarks/request.py --dataset {asked.dataset} --json {asked.json}",
            "machine": asdict(describe(packages=("numpy", "torch", "onnxruntime", "ai-edge-litert"))),
            "rows": [{"dataset": asked.dataset, "items": len(model.catalogue), **row} for row in rows],
        }
        asked.json.write_text(json.dumps(record, indent=1) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where the rows are written")
    parser.add_argument("--dataset", choices=DATASETS, default="ml-1m")
    parser.add_argument("--run", type=Path, help="a run directory of SASRec; unless given, that of benchmarks/quality.py")
    parser.add_argument("--bundles", type=Path, help="folder where bundles are kept and found again")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the rounds, for all ways together")
    return parser


def _bundles(model: Any, histories: Sequence[Any], folder: Path) -> dict[str, Path]:  # noqa: ANN401 - any retriever
    """Return the int8 bundle for each target, converted where it is not there."""
    paths = {target: folder / f"request-{target}.edgerec" for target in ("onnx", "tflite")}
    missing = [target for target, path in paths.items() if not path.exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        prepared = prepare(model, histories[:_CALIBRATED], targets=missing)
        for target in missing:
            print(f"converting for {target} ...", file=sys.stderr, flush=True)
            convert(prepared, target=target, precision=Precision.parse("int8"), output=paths[target])
    return paths


def _ours(bundle: Path) -> Answer:
    opened = Recommender.open(bundle)
    return lambda history: opened.recommend(history, k=K)


def _requests(ways: dict[str, Answer], given: Sequence[Sequence[str]], *, seconds: float) -> list[dict[str, Any]]:
    wanted = [{one for one, _ in ways[EAGER](history)} for history in given]
    kept = {
        name: sum(len(wanted[place] & {one for one, _ in answer(history)}) for place, history in enumerate(given))
        / K
        / len(given)
        for name, answer in ways.items()
    }
    times = rounds(ways, given, seconds=seconds, beside=EAGER)
    return [{"case": "request", "way": name, "k": K, "overlap_at_10": kept[name], **asdict(times[name])} for name in ways]


def _show(rows: list[dict[str, Any]]) -> None:
    print(f"{'':26} {'p50 ms':>8} {'p99 ms':>8} {'/ torch':>8} {'overlap':>8}")
    for row in rows:
        print(f"{row['way']:26} {row['p50_ms']:8.3f} {row['p99_ms']:8.3f} {row['ratio']:8.3f} {row['overlap_at_10']:8.3f}")


if __name__ == "__main__":
    sys.exit(main())
