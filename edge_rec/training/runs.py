"""From a data set to a run directory: filter, split, train, judge, write."""

from __future__ import annotations

__all__ = ["TRAINERS", "Fitted", "Request", "judged", "prepared", "rebind", "train_run"]

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec.data import k_core, leave_one_out
from edge_rec.metrics import held_out, quality
from edge_rec.models import Model, bind, read_config, write_run
from edge_rec.training.folders import CHECKPOINT, finished_run, refuse_used
from edge_rec.training.rankers import RANKERS, train_ranker_run
from edge_rec.training.request import Fitted, Request
from edge_rec.training.trainers import TRAINERS
from edge_rec_runtime import Progress, silent
from edge_rec_runtime.errors import ModelError, TrainingError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.data import Dataset, Split
    from edge_rec_runtime import Catalogue


def train_run(
    dataset: Dataset, folder: Path, *, request: Request, resume: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Train a model into a run directory.

    The test part of the split is looked at once, after everything has been chosen.

    Args:
        dataset: The log and its items.
        folder: Must be new or empty, unless ``resume``.
        request: What to train.
        resume: Go on from the folder's checkpoint, if there is one; a finished run is left as it is.
        progress: Told about each step.

    Returns:
        The run's ``config.json``; ``metrics`` holds ``validation`` and ``test``.

    Raises:
        TrainingError: The folder is in use, or training cannot go on.
    """
    if request.model in RANKERS:
        return train_ranker_run(dataset, folder, request=request, resume=resume, progress=progress)
    if request.model not in TRAINERS:
        raise TrainingError(f"model {request.model!r} is not known; use one of {', '.join((*TRAINERS, *RANKERS))}")
    if not resume:
        refuse_used(folder)
    split, catalogue = prepared(dataset, core=request.core)
    trainer = TRAINERS[request.model]
    request = trainer.complete(request, split, data=dataset.name)
    wanted = _asked(dataset, split, request)
    if config := finished_run(folder, wanted):
        return config
    folder.mkdir(parents=True, exist_ok=True)
    started, busy = time.perf_counter(), time.process_time()
    checkpoint = folder / CHECKPOINT
    fitted = trainer.fit(split, catalogue, request, checkpoint=checkpoint, progress=progress)
    spent = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - busy} | _spent(fitted)
    write_run(folder, fitted.model, split, record=wanted | fitted.record | spent | {"metrics": judged(fitted.model, split)})
    checkpoint.unlink(missing_ok=True)
    return read_config(folder)


def prepared(dataset: Dataset, *, core: int) -> tuple[Split, Catalogue]:
    """Filter and split a log, and describe its items; the same log gives the same rows.

    Args:
        dataset: The log and its items.
        core: Users and items with fewer events are left out.
    """
    split = leave_one_out(k_core(dataset.interactions, core))
    known = {name: tuple(values.get(one, "") for one in split.user_ids) for name, values in dataset.users.attributes.items()}
    split = replace(split, user_attributes=known)
    popularity = np.bincount(split.train.items, minlength=len(split.item_ids)).astype(np.uint32)
    return split, dataset.items.catalogue(split.item_ids, popularity=popularity)


def judged(model: Model, split: Split) -> dict[str, dict[str, object]]:
    """Return the quality on ``validation`` and ``test``, under the names that result files use."""
    source, items = model.source(), len(split.item_ids)
    parts = {"validation": (split.train, split.validation), "test": (split.test_histories, split.test)}
    return {
        name: quality(held_out(source, histories, targets, k=10, users=split.user_attributes), items=items).row()
        for name, (histories, targets) in parts.items()
    }


def rebind(folder: Path, dataset: Dataset) -> tuple[Model, Split]:
    """Join weights that were kept without ids to the data that they were trained on.

    Args:
        folder: Of `edge_rec.models.write_model`, for example ``benchmarks/teachers/sasrec-ml-1m``.
        dataset: Fetched or read anew.

    Returns:
        The model, and the split that it was trained and judged on.

    Raises:
        ModelError: The data are others, or the weights are damaged.
    """
    trained_on = read_config(folder).get("dataset")
    core = trained_on.get("core") if isinstance(trained_on, dict) else None
    if type(core) is not int:
        raise ModelError(
            f"{folder}: config.json does not say how its data were filtered; take the folder from the repository again"
        )
    split, catalogue = prepared(dataset, core=core)
    return bind(folder, catalogue), split


def _asked(dataset: Dataset, split: Split, request: Request) -> dict[str, Any]:
    events = len(split.test_histories.items) + len(split.test)
    data = {
        "name": dataset.name,
        "core": request.core,
        "users": len(split.user_ids),
        "items": len(split.item_ids),
        "events": events,
    }
    training = dict(request.training)
    return {"dataset": data, "seed": request.seed, "model": request.model, "options": dict(request.shape), "training": training}


def _spent(fitted: Fitted) -> dict[str, float]:
    """Return what the epochs took over all resumptions, as far as the trainer recorded it."""
    epochs = fitted.record.get("epochs", ())
    recorded = [name for name in ("seconds", "cpu_seconds") if epochs and all(name in one for one in epochs)]
    return {name: sum(one[name] for one in epochs) for name in recorded}
