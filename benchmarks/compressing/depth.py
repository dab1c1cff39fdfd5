"""A very deep network beside a tenth of its layers, which a student learns with its help and without."""

from __future__ import annotations

__all__ = ["DEEP", "SHALLOW", "WAYS", "depth_rows"]

from typing import TYPE_CHECKING, Any

import numpy as np

from compressing.figures import kept_over_seeds
from compressing.scores import scored
from edge_rec.compress import Recipe, compress, make_step
from edge_rec.data import load
from edge_rec.models import load_run, read_config
from edge_rec.training import Request, train_run
from edge_rec_converters import convert, prepare
from edge_rec_converters.metrics import bootstrap_interval, ndcg_at_k
from edge_rec_runtime import Bundle, Precision, read_histories

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from compressing.files import Place

MODEL = "deep-mlp"
DEEP, SHALLOW = 102, 10
WAYS: dict[str, dict[str, object]] = {
    "alone": {"weight": 0, "start": "drawn"},
    "soft-labels": {"start": "drawn"},
    "distilled": {},
}


def depth_rows(place: Place, *, seeds: int, epochs: int) -> list[dict[str, Any]]:
    """Make what is missing, and return a row for the deep network and one for each way to train the shallow one.

    All have the same number of epochs. Figures are of the ONNX bundles in fp32, asked for every test user; ``over_alone`` is
    the ratio to the shallow network that had no teacher, with a paired bootstrap interval over users.

    Args:
        place: Where things are.
        seeds: How many of each.
        epochs: Of every training.
    """
    variants = ("deep", *WAYS)
    gains: dict[str, NDArray[np.float64]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for variant in variants:
        of_seeds = []
        for seed in range(seeds):
            deep = _deep(place, seed, epochs)
            run = deep if variant == "deep" else _shallow(place, variant, deep, seed, epochs)
            bundle = _bundle(run, place.folder(f"depth-{variant}", seed))
            of_seeds.append(ndcg_at_k(scored(bundle, read_histories(run / "heldout" / "test.jsonl")).ranks))
            with Bundle.open(bundle) as opened:
                sizes[variant] = (sum(one.size for one in load_run(run).weights().values()), opened.manifest.model_bytes)
        gains[variant] = np.stack(of_seeds)
    return [_row(variant, gains[variant], gains["alone"], sizes[variant]) for variant in variants]


def _row(variant: str, gains: NDArray[np.float64], alone: NDArray[np.float64], size: tuple[int, int]) -> dict[str, Any]:
    ratio, low, high = kept_over_seeds(gains, alone)
    return {
        "tool": "edge-rec",
        "variant": variant,
        "layers": DEEP if variant == "deep" else SHALLOW,
        "parameters": size[0],
        "model_bytes": size[1],
        "seeds": len(gains),
        "ndcg_at_10": round(float(gains.mean()), 5),
        "ndcg_at_10_ci": [round(one, 5) for one in bootstrap_interval(gains.mean(axis=0))],
        "over_alone": round(ratio, 4),
        "over_alone_ci": [round(low, 4), round(high, 4)],
    }


def _deep(place: Place, seed: int, epochs: int) -> Path:
    folder = place.folder(f"depth-{epochs}-deep", seed)
    asked = Request(model=MODEL, shape={"layers": DEEP}, training={"epochs": epochs}, seed=seed)
    train_run(load(place.dataset, place.data), folder, request=asked, resume=True)
    return folder


def _shallow(place: Place, variant: str, deep: Path, seed: int, epochs: int) -> Path:
    folder = place.folder(f"depth-{epochs}-{variant}", seed)
    step = make_step("distil", {"student": MODEL, "options": {"layers": SHALLOW}, "epochs": epochs, **WAYS[variant]})
    recipe = Recipe(name=f"depth-{variant}", steps=(step,))
    compress(deep, recipe, folder, dataset=load(place.dataset, place.data), seed=seed)
    return folder


def _bundle(run: Path, folder: Path) -> Path:
    """Convert a run directory; a bundle of other weights is replaced."""
    path = folder / "onnx.edgerec"
    source, told = load_run(run).source(), {"dataset": read_config(run)["dataset"]}
    validation = read_histories(run / "heldout" / "validation.jsonl")
    folder.mkdir(parents=True, exist_ok=True)
    convert(prepare(source, validation, targets=("onnx",)), target="onnx", precision=Precision(), output=path, metadata=told)
    return path
