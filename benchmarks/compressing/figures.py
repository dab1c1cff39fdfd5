"""The row of a variant: its files beside the teacher's, over all users and seeds."""

from __future__ import annotations

__all__ = ["kept_over_seeds", "row_of"]

import math
import time
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np

from compressing.files import bundle_of, teacher_of
from compressing.scores import scored
from compressing.timing import beside
from compressing.variants import TEACHER, VARIANTS
from compressing.weights import weigh
from edge_rec_converters.metrics import bootstrap_interval, ndcg_at_k, overlap_at_k
from edge_rec_runtime import Recommender, read_histories

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from compressing.files import Place
    from edge_rec_runtime import History

_TIMED = 64  # histories that take turns in timing
_SAMPLES = 1000


def row_of(place: Place, slug: str, target: str, *, seeds: int, seconds: float) -> dict[str, Any]:
    """Make what is missing of a variant, and return its row.

    Args:
        place: Where things are.
        slug: The variant.
        target: ``onnx`` or ``tflite``.
        seeds: How many teachers; each has a variant of its own.
        seconds: How long a variant and its teacher take turns in timing.
    """
    started = time.perf_counter()
    made = [_of_seed(place, slug, target, seed, seconds=seconds) for seed in range(seeds)]
    gains, teachers = (np.stack([one.pop(name) for one in made]) for name in ("gains", "teacher"))
    overlaps = np.stack([one.pop("overlaps") for one in made])
    kept, low, high = kept_over_seeds(gains, teachers)
    averaged = {name: _rounded(mean(one[name] for one in made)) for name in made[0] if name not in {"seed", "precision"}}
    return {
        "tool": "edge-rec",
        "variant": slug,
        "dataset": place.dataset,
        "target": target,
        "precision": made[0]["precision"],
        "recipe": VARIANTS[slug].recipe,
        "identity": place.identity(slug),
        "users": gains.shape[1],
        "seeds": seeds,
        **averaged,
        "ndcg_kept": _rounded(kept),
        "ndcg_kept_ci": [_rounded(low), _rounded(high)],
        "overlap_at_10_ci": [round(end, 5) for end in bootstrap_interval(overlaps.mean(axis=0))],
        "by_seed": [{name: _rounded(value) for name, value in one.items()} for one in made],
        "seconds": round(time.perf_counter() - started, 1),
    }


def kept_over_seeds(gains: NDArray[np.float64], teachers: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the ratio of means, averaged over seeds, and its 95 % bootstrap interval over users; NaN for teachers of 0.

    A resample draws users, and takes the same ones of every seed, of the variant and of its teacher.

    Args:
        gains: [seeds, users] NDCG of the variants.
        teachers: [seeds, users] the same of their teachers.
    """
    rng, users = np.random.default_rng(0), gains.shape[1]
    found = np.empty(_SAMPLES)
    for sample in range(_SAMPLES):
        drawn = rng.integers(0, users, size=users)
        found[sample] = _ratio(gains[:, drawn], teachers[:, drawn])
    known = found[np.isfinite(found)]
    low, high = np.quantile(known, [0.025, 0.975]) if known.size else (np.nan, np.nan)
    return _ratio(gains, teachers), float(low), float(high)


def _ratio(gains: NDArray[np.float64], teachers: NDArray[np.float64]) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        found = float((gains.mean(axis=1) / teachers.mean(axis=1)).mean())
    return found if math.isfinite(found) else math.nan


def _of_seed(place: Place, slug: str, target: str, seed: int, *, seconds: float) -> dict[str, Any]:
    plain, path = (bundle_of(place, name, seed, target) for name in (TEACHER, slug))
    histories = read_histories(teacher_of(place, seed) / "heldout" / "test.jsonl")[: place.users]
    before, after = scored(plain, histories), scored(path, histories)
    whole, part = weigh(plain), weigh(path)
    gains, teacher, overlaps = ndcg_at_k(after.ranks), ndcg_at_k(before.ranks), overlap_at_k(before.top, after.top)
    with Recommender.open(path) as opened:
        precision = opened.bundle.manifest.precision.slug
    return {
        "seed": seed,
        "precision": precision,
        "model_bytes": part.model,
        "bytes_ratio": part.model / whole.model,
        "item_bytes": part.items,
        "item_bytes_each": part.each,
        "item_bytes_ratio": part.items / whole.items,
        "shared_bytes": part.shared,
        "rescore_bytes": part.rescore,
        "network_bytes": part.network,
        "network_bytes_ratio": part.network / whole.network,
        "ndcg_at_10": float(gains.mean()),
        "teacher_ndcg_at_10": float(teacher.mean()),
        "ndcg_kept": _ratio(gains[None], teacher[None]),
        "overlap_at_10": float(overlaps.mean()),
        **_latencies(path, plain, histories[:_TIMED], seconds=seconds),
        "gains": gains,
        "teacher": teacher,
        "overlaps": overlaps,
    }


def _latencies(path: Path, plain: Path, histories: Sequence[History], *, seconds: float) -> dict[str, float]:
    """Time whole requests, and the network alone, of a bundle beside its teacher's."""
    with Recommender.open(path) as ours, Recommender.open(plain) as theirs:
        both = (ours, theirs)
        ask, encode = (
            [lambda one, opened=opened: opened.recommend(one.events, context=one.context) for opened in both],
            [lambda given, opened=opened: opened.encode(*given) for opened in both],
        )
        fed = [tuple(one.gather(one.lookup(given.events)[0], given.context) for one in both) for given in histories]
        whole, ratio = beside(*ask, [(one, one) for one in histories], seconds=seconds / 2)
        _, network = beside(*encode, fed, seconds=seconds / 2)
    return {"latency_ms": whole, "latency_ratio": ratio, "network_latency_ratio": network}


def _rounded(value: Any) -> Any:  # noqa: ANN401 - figures and words
    """Return a figure as it stands in the file: what is not a number is null."""
    if not isinstance(value, float):
        return value
    return round(value, 5) if math.isfinite(value) else None
