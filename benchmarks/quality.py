"""How good the zoo's models are: HR, NDCG and MRR at 10 over the full catalogue of MovieLens-100K and -1M.

    python benchmarks/quality.py --json benchmarks/results/quality.json
    python benchmarks/quality.py --dataset ml-100k --only mf --only sasrec --seeds 1

A row is a model with a seed on a data set. Each is merged into the JSON as soon as it is there, and a row that is there is
not made again; a training that was interrupted goes on from its checkpoint in ``--runs``. Rows of random models differ by
seed, popularity has one. ``--teacher DIR`` then keeps the SASRec of MovieLens-1M with the best validation NDCG@10.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from rows import merge, read_rows

from edge_rec.data import load
from edge_rec.models import load_run, read_config, write_model
from edge_rec.training import Request, judged, prepared, train_run

if TYPE_CHECKING:
    from collections.abc import Sequence

DATASETS = ("ml-100k", "ml-1m")
# MF as published folds in the whole history; the zoo's default folds in the newest events only, which foretells the next better.
MODELS = {
    "popularity": Request(model="popularity"),
    "item-item": Request(model="item-item"),
    "ease": Request(model="ease"),
    "mf-whole": Request(model="mf", shape={"max_length": 2400, "steps": 12}),
    "mf": Request(model="mf"),
    "lightgcn": Request(model="lightgcn"),
    "two-tower": Request(model="two-tower"),
    "nrms": Request(model="nrms"),
    "gru4rec": Request(model="gru4rec"),
    "sasrec": Request(model="sasrec"),
}
SEEDLESS = ("popularity", "item-item", "ease", "mf-whole", "mf")  # MF's seeds differ in the third digit, so one row says it
FIGURES = ("hr_at_10", "ndcg_at_10", "mrr_at_10")
KEPT = ("seed", "dataset", "training", "best_epoch", "seconds", "cpu_seconds")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the rows that are missing, show all that were asked for."""
    asked = _parser().parse_args(arguments)
    datasets, models = asked.dataset or DATASETS, asked.only or list(MODELS)
    wanted = [
        (dataset, model, seed)
        for dataset in datasets
        for model in models
        for seed in range(1 if model in SEEDLESS else asked.seeds)
    ]
    for dataset, model, seed in wanted:
        if not _find(read_rows(asked.json), dataset, model, seed):
            row = _measure(dataset, model, seed, data=asked.data, runs=asked.runs)
            _merge(asked.json, row)
    rows = [row for key in wanted for row in _find(read_rows(asked.json), *key)]
    _show(rows)
    if asked.teacher:
        _keep_teacher(rows, data=asked.data, runs=asked.runs, folder=asked.teacher)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/quality.json"), help="where the rows are merged")
    parser.add_argument("--dataset", action="append", choices=DATASETS, help="unless given, both")
    parser.add_argument("--only", action="append", choices=MODELS, metavar="MODEL", help="unless given, all")
    parser.add_argument("--seeds", type=int, default=3, help="of models that differ by seed")
    parser.add_argument("--data", type=Path, default=Path("datasets"), help="where data sets are kept")
    parser.add_argument("--runs", type=Path, default=Path("runs/quality"), help="where run directories are kept")
    parser.add_argument("--teacher", type=Path, help="folder for the weights of the best SASRec on MovieLens-1M")
    return parser


def _measure(dataset: str, model: str, seed: int, *, data: Path, runs: Path) -> dict[str, Any]:
    """Train or go on training one model; return its row."""
    said = {"epoch": ""}

    def progress(done: int, total: int, note: str = "") -> None:
        if note.split(" loss", maxsplit=1)[0] != said["epoch"]:
            said["epoch"] = note.split(" loss", maxsplit=1)[0]
            print(f"{dataset} {model} seed {seed}: {done}/{total} {note}", file=sys.stderr, flush=True)

    folder = runs / dataset / f"{model}-{seed}"
    request = replace(MODELS[model], seed=seed)
    config = train_run(load(dataset, data), folder, request=request, resume=True, progress=progress)
    metrics = config["metrics"]
    return {
        "tool": "edge-rec",
        "dataset": dataset,
        "model": model,
        "seed": seed,
        **metrics["test"],
        "validation_ndcg_at_10": metrics["validation"]["ndcg_at_10"],
        "items": config["dataset"]["items"],
        "best_epoch": config.get("best_epoch"),
        "epochs": len(config.get("epochs", ())),
        "parameters": sum(value.size for value in load_run(folder).weights().values()),
        "threads": torch.get_num_threads(),
        "seconds": round(config["seconds"], 1),
        "cpu_seconds": round(config["cpu_seconds"], 1),
    }


def _find(rows: list[dict[str, Any]], dataset: str, model: str, seed: int) -> list[dict[str, Any]]:
    return [row for row in rows if (row["dataset"], row["model"], row["seed"]) == (dataset, model, seed)]


def _merge(path: Path, row: dict[str, Any]) -> None:
    """Add a row to the file; rows stand in the order of the table."""
    order = {name: place for place, name in enumerate((*DATASETS, *MODELS))}
    merge(
        path,
        [row],
        key=lambda one: (one["dataset"], one["model"], one["seed"]),
        order=lambda one: (order[one["dataset"]], order[one["model"]], one["seed"]),
        command="python benchmarks/quality.py --json benchmarks/results/quality.json",
        packages=("numpy", "torch"),
    )


def _show(rows: list[dict[str, Any]]) -> None:
    """Print one line a row, and the mean over seeds where there are several."""
    titles = f"{'data':8} {'model':10} {'seed':>4}  {'HR@10':>7} {'NDCG@10':>7}  {'95 %':15}  {'MRR@10':>7}"
    print(f"{titles} {'coverage':>8} {'seconds':>8}")
    for row in rows:
        low, high = row["ndcg_at_10_ci"]
        print(
            f"{row['dataset']:8} {row['model']:10} {row['seed']:>4}  {row['hr_at_10']:7.4f} {row['ndcg_at_10']:7.4f}  "
            f"{low:.4f} - {high:.4f}  {row['mrr_at_10']:7.4f} {row['coverage_at_10']:8.3f} {row['seconds']:8.0f}"
        )
    for dataset in DATASETS:
        for model in MODELS:
            group = [row for row in rows if (row["dataset"], row["model"]) == (dataset, model)]
            if len(group) > 1:
                hr, ndcg, mrr = (mean(row[name] for row in group) for name in FIGURES)
                print(f"{dataset:8} {model:10} mean  {hr:7.4f} {ndcg:7.4f}  {'':15}  {mrr:7.4f}")


def _keep_teacher(rows: list[dict[str, Any]], *, data: Path, runs: Path, folder: Path) -> None:
    """Write the weights of the best seed in float16, without ids or titles, and judge them as they are written."""
    candidates = [row for row in rows if row["dataset"] == "ml-1m" and row["model"] == "sasrec"]
    if not candidates:
        raise SystemExit("--teacher needs rows of sasrec on ml-1m; do not exclude them with --dataset or --only")
    best = max(candidates, key=lambda row: float(row["validation_ndcg_at_10"]))
    run = runs / "ml-1m" / f"sasrec-{best['seed']}"
    model, config = load_run(run), read_config(run)
    halved = {name: value.astype(np.float16).astype(np.float32) for name, value in model.weights().items()}
    kept = type(model).restore(model.describe(), halved, model.catalogue)
    split, _ = prepared(load("ml-1m", data), core=config["dataset"]["core"])
    metrics = judged(kept, split)
    folder.mkdir(parents=True, exist_ok=True)
    write_model(folder, kept, record={name: config[name] for name in KEPT} | {"metrics": metrics}, dtype=np.float16)
    print(f"{folder}: seed {best['seed']}, test NDCG@10 {metrics['test']['ndcg_at_10']:.4f} (float32 {best['ndcg_at_10']:.4f})")


if __name__ == "__main__":
    sys.exit(main())
