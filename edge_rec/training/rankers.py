"""From a data set with ratings to the run directory of a ranker: clicks, features, split by time, train, judge, write."""

from __future__ import annotations

__all__ = ["RANKERS", "train_ranker_run"]

import json
import time
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from edge_rec.click_metrics import click_quality, logits
from edge_rec.data.ranking import RankingData, ranking_data
from edge_rec.models import read_config, write_ranker_run
from edge_rec.models.network import options_of
from edge_rec.models.rankers import DIN, DLRM, DCNv2, DeepFM, LogisticRegression, NeuMF, RankingModel, WideDeep
from edge_rec.training.folders import finished_run, refuse_used
from edge_rec.training.ranking import RankingTraining, train_ranker
from edge_rec_runtime import Progress, silent
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.data import Dataset
    from edge_rec.training.request import Request

RANKERS: dict[str, type[RankingModel]] = {
    "logistic": LogisticRegression,
    "neumf": NeuMF,
    "wide-deep": WideDeep,
    "deepfm": DeepFM,
    "dlrm": DLRM,
    "dcnv2": DCNv2,
    "din": DIN,
}

_HISTORY = 50  # clicks that a history looks back, unless asked otherwise
_MANY = 300_000  # training events from which on a step takes more of them


def train_ranker_run(
    dataset: Dataset, folder: Path, *, request: Request, resume: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Train a ranker into a run directory; the test part of the split is looked at once, at the end.

    Args:
        dataset: A log with ratings, its items and its users.
        folder: Must be new or empty, unless ``resume``.
        request: What to train; ``max_length`` among its ``shape`` is that of the history. Users and items with fewer than
            ``core`` events in training are not told apart.
        resume: Return a finished run of the same kind; an unfinished one takes minutes and starts again.
        progress: Told about each step.

    Returns:
        The run's ``config.json``; ``metrics`` holds ``validation`` and ``test``.

    Raises:
        TrainingError: The folder is in use, an option is not known, or training diverges.
        DataError: The log cannot be ranked.
    """
    if not resume:
        refuse_used(folder)
    kind = RANKERS[request.model]
    asked = dict(request.shape)
    longest = asked.pop("max_length", _HISTORY)
    data = ranking_data(dataset, core=request.core, longest=longest)
    shape = asdict(options_of(kind.title, kind.Options, asked))
    training = _training(request, events=len(data.clicks.train))
    wanted = json.loads(
        json.dumps(_asked(dataset, data, request, longest=longest, shape=shape, training=training))
    )  # tuples are lists in a file
    if config := finished_run(folder, wanted):
        return config
    folder.mkdir(parents=True, exist_ok=True)
    started, busy = time.perf_counter(), time.process_time()
    fitted = train_ranker(kind.built(shape, data.inputs, seed=request.seed), data, options=training, progress=progress)
    spent = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - busy}
    heldout, metrics = {}, {}
    for name, rows in (("validation", data.clicks.validation), ("test", data.clicks.test)):
        examples = data.examples(fitted.model.inputs.features, rows)
        quality = click_quality(logits(fitted.model, examples), data.clicks.clicked[rows], data.clicks.users[rows])
        heldout[name], metrics[name] = examples, quality.row()
    record = wanted | spent | {"best_epoch": fitted.best_epoch, "epochs": fitted.epochs, "metrics": metrics}
    write_ranker_run(folder, fitted.model, heldout, record=record)
    return read_config(folder)


def _training(request: Request, *, events: int) -> RankingTraining:
    known = [field.name for field in fields(RankingTraining)]
    if unknown := sorted(set(request.training) - set(known)):
        raise TrainingError(f"model {request.model!r} has no option {unknown[0]!r}; it takes {', '.join(known)}")
    usual = RankingTraining(batch=4096 if events >= _MANY else 512, seed=request.seed)
    return replace(usual, **request.training)


def _asked(
    dataset: Dataset, data: RankingData, request: Request, *, longest: int, shape: dict[str, Any], training: RankingTraining
) -> dict[str, Any]:
    clicks = data.clicks
    told = {
        "name": dataset.name,
        "core": request.core,
        "split": "time",
        "users": len(dataset.interactions.user_ids),
        "items": len(data.inputs.catalogue),
        "events": len(clicks.users),
        **{name: len(getattr(clicks, name)) for name in ("train", "validation", "test")},
        "history": longest,
    }
    return {"dataset": told, "seed": request.seed, "model": request.model, "options": shape, "training": asdict(training)}
