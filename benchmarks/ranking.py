"""How well the zoo's rankers foretell clicks: AUC and log-loss on MovieLens-100K and -1M, split by time.

    python benchmarks/ranking.py --json benchmarks/results/ranking.json
    python benchmarks/ranking.py --dataset ml-100k --only dcnv2

A click is a rating of 4 or more. The oldest 80 % of the events train, the next 10 % choose the epoch, the newest 10 % are the
test, which is scored once a row; events of one second stay on one side. Two rows are there to be beaten: ``item-rate``, the
share of clicks among an item's training events, and ``logistic``, logistic regression over the features of the others. Each row
is merged into the JSON as soon as it is there, and a row that is there is not made again.

Figures on these data with random splits (.80 to .82 on MovieLens-1M) are of an easier task: there a user's later ratings help to
foretell the earlier ones, and hardly anybody is new.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from rows import merge, read_rows

from edge_rec.click_metrics import click_quality
from edge_rec.data import load
from edge_rec.data.clicks import clicks
from edge_rec.models import load_run
from edge_rec.training import RANKERS, Request, train_run

if TYPE_CHECKING:
    from collections.abc import Sequence

DATASETS = ("ml-100k", "ml-1m")
BASELINE = "item-rate"
MODELS = (BASELINE, *RANKERS)
_PRIOR = 10  # events that an item's rate is drawn to the mean by, as if it had so many more


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the rows that are missing, show all that were asked for."""
    asked = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    wanted = [(dataset, model) for dataset in asked.dataset or DATASETS for model in asked.only or MODELS]
    for dataset, model in wanted:
        if not _find(read_rows(asked.json), dataset, model):
            _merge(asked.json, _measure(dataset, model, data=asked.data, runs=asked.runs))
    _show([row for key in wanted for row in _find(read_rows(asked.json), *key)])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/ranking.json"), help="where the rows are merged")
    parser.add_argument("--dataset", action="append", choices=DATASETS, help="unless given, both")
    parser.add_argument("--only", action="append", choices=MODELS, metavar="MODEL", help="unless given, all")
    parser.add_argument("--data", type=Path, default=Path("datasets"), help="where data sets are kept")
    parser.add_argument("--runs", type=Path, default=Path("runs/ranking"), help="where run directories are kept")
    return parser


def _measure(dataset: str, model: str, *, data: Path, runs: Path) -> dict[str, Any]:
    """Train one model, or count; return its row."""
    said = {"epoch": ""}

    def progress(done: int, total: int, note: str = "") -> None:
        if note.split(" best", maxsplit=1)[0] != said["epoch"]:
            said["epoch"] = note.split(" best", maxsplit=1)[0]
            print(f"{dataset} {model}: {done}/{total} {note}", file=sys.stderr, flush=True)

    row = {"tool": "edge-rec", "dataset": dataset, "split": "time 80/10/10", "model": model, "threads": torch.get_num_threads()}
    if model == BASELINE:
        return row | _item_rate(dataset, data)
    folder = runs / dataset / model
    config = train_run(load(dataset, data), folder, request=Request(model=model), resume=True, progress=progress)
    trained = load_run(folder)
    parameters = sum(value.numel() for value in trained.parameters()) if isinstance(trained, torch.nn.Module) else 0
    return row | {
        **{name: config["dataset"][name] for name in ("train", "validation", "test", "users", "items")},
        **config["metrics"]["test"],
        "validation_auc": config["metrics"]["validation"]["auc"],
        "validation_log_loss": config["metrics"]["validation"]["log_loss"],
        "seed": config["seed"],
        "best_epoch": config["best_epoch"],
        "epochs": len(config["epochs"]),
        "parameters": parameters,
        "seconds": round(config["seconds"], 1),
        "cpu_seconds": round(config["cpu_seconds"], 1),
    }


def _item_rate(dataset: str, data: Path) -> dict[str, Any]:
    """Score every event by the share of clicks among its item's training events."""
    started = time.perf_counter()
    events = clicks(load(dataset, data).interactions)
    items, clicked = events.items[events.train], events.clicked[events.train]
    counts = int(events.items.max()) + 1
    met, liked = np.bincount(items, minlength=counts), np.bincount(items, weights=clicked, minlength=counts)
    rate = (liked + _PRIOR * clicked.mean()) / (met + _PRIOR)
    scores = np.log(rate / (1 - rate)).astype(np.float32)
    parts = {}
    for name in ("validation", "test"):
        rows = getattr(events, name)
        parts[name] = click_quality(scores[events.items[rows]], events.clicked[rows], events.users[rows]).row()
    return {
        **{name: len(getattr(events, name)) for name in ("train", "validation", "test")},
        **parts["test"],
        "validation_auc": parts["validation"]["auc"],
        "validation_log_loss": parts["validation"]["log_loss"],
        "parameters": counts,
        "seconds": round(time.perf_counter() - started, 1),
    }


def _find(rows: list[dict[str, Any]], dataset: str, model: str) -> list[dict[str, Any]]:
    return [row for row in rows if (row["dataset"], row["model"]) == (dataset, model)]


def _merge(path: Path, row: dict[str, Any]) -> None:
    """Add a row to the file; rows stand in the order of the table."""
    order = {name: place for place, name in enumerate((*DATASETS, *MODELS))}
    merge(
        path,
        [row],
        key=lambda one: (one["dataset"], one["model"]),
        order=lambda one: (order[one["dataset"]], order[one["model"]]),
        command="python benchmarks/ranking.py --json benchmarks/results/ranking.json",
        packages=("numpy", "torch"),
    )


def _show(rows: list[dict[str, Any]]) -> None:
    titles = f"{'data':8} {'model':10} {'AUC':>7}  {'95 %':15}  {'log-loss':>8} {'GAUC':>7} {'val. AUC':>8}"
    print(f"{titles} {'weights':>9} {'CPU s':>6}")
    for row in rows:
        low, high = row["auc_ci"]
        print(
            f"{row['dataset']:8} {row['model']:10} {row['auc']:7.4f}  {low:.4f} - {high:.4f}  {row['log_loss']:8.4f} "
            f"{row['gauc']:7.4f} {row['validation_auc']:8.4f} {row['parameters']:9,} {row.get('cpu_seconds', 0):6.0f}"
        )


if __name__ == "__main__":
    sys.exit(main())
