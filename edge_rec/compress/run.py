"""A recipe is followed: each step leaves a run directory, and what is there from an earlier run is taken as it is.

OUT/steps/01-factorise/   a run directory, with the record of this step and of those before it
OUT/steps/02-prune/
OUT/work/                 checkpoints and caches, gone at the end
OUT/                      the run directory of the result; its config.json comes last
"""

from __future__ import annotations

__all__ = ["Steps", "compress"]

import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from edge_rec import __version__
from edge_rec.compress.checks import require_fitting, require_possible, split_of
from edge_rec.compress.effect import Beside
from edge_rec.compress.folders import finished, identities, identity_of, require_free, tidied
from edge_rec.compress.records import records_of
from edge_rec.compress.step import Given
from edge_rec.compress.steps import describe_step
from edge_rec.models import load_run, read_config, write_run, write_run_like
from edge_rec_runtime import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edge_rec.compress.recipe import Recipe
    from edge_rec.compress.step import Step
    from edge_rec.data import Dataset, Split
    from edge_rec.models import Model


class Steps(Protocol):
    """Called at the start of each piece of work with what it is; what it returns is told how far it is."""

    def __call__(self, label: str) -> Progress:
        """Begin a piece of work."""


def _quiet(label: str) -> Progress:  # noqa: ARG001 - as the protocol has it
    return silent


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What all steps of one recipe share."""

    start: Path
    kept: Mapping[str, Any]
    teacher: Model
    output: Path
    split: Split | None
    dataset: str
    seed: int
    beside: Beside
    steps: Steps

    def write(self, folder: Path, model: Model, record: Mapping[str, Any]) -> None:
        """Write a run directory, its held-out events from the log or, without one, from the start."""
        if self.split is None:
            write_run_like(folder, model, self.start, record={**self.kept, **record})
        else:
            write_run(folder, model, self.split, record={**self.kept, **record})

    def given(self, model: Model, *, folder: Path, progress: Progress) -> Given:
        """Return what a step works with, its checkpoints in ``folder``."""
        return Given(
            split=self.split,
            dataset=self.dataset,
            catalogue=model.catalogue,
            seed=self.seed,
            folder=folder,
            caches=self.output / "work" / "caches",
            teacher=self.teacher,
            progress=progress,
        )


@dataclass(frozen=True, kw_only=True)
class _Made:
    """A model, and a record of each step that it has behind it."""

    model: Model
    records: tuple[Mapping[str, Any], ...]


def compress(
    start: Path,
    recipe: Recipe,
    output: Path,
    *,
    dataset: Dataset | None = None,
    seed: int = 0,
    steps: Steps = _quiet,
) -> dict[str, Any]:
    """Follow a recipe.

    Nothing is begun before what can be refused without a trained step has been: steps that do not compose or cannot be taken, a
    log or held-out events that are missing or others, a folder that holds something else. Models are asked about the test events
    once, at the end.

    Args:
        start: A finished run directory.
        recipe: What to do.
        output: A new folder, or one where this very recipe was interrupted or has been followed.
        dataset: The log that the model was trained on, for steps that look at data.
        seed: Of every random choice.
        steps: Told what is being done.

    Returns:
        The result's ``config.json``; ``compression`` has a record a step.

    Raises:
        CompressionError: As above, or a step does not keep its promise.
        EdgeRecError: A step failed; those before it are kept.
    """
    config, model = read_config(start), load_run(start)
    made = _Made(model=model, records=records_of(config))
    require_fitting(recipe, model, made.records, data=dataset is not None)
    split = None if dataset is None else split_of(dataset, config, model)
    names = identities(recipe.steps, start, config, seed=seed, split=split)
    if found := finished(output, names[-1]):
        return found
    require_free(output, start)
    work = _Work(
        start=start,
        kept={name: config[name] for name in ("dataset", "seed") if name in config},
        teacher=model,
        output=output,
        split=split,
        dataset="" if dataset is None else dataset.name,
        seed=seed,
        beside=Beside(model, start),
        steps=steps,
    )
    work.beside.require()
    require_possible(recipe.steps, model, work.given(model, folder=output / "work", progress=silent))
    there = output.exists()
    if there:
        tidied(output, keep=True)
    try:
        for number, (step, identity) in enumerate(zip(recipe.steps, names, strict=True), 1):
            made = _taken(work, made, step, number=number, identity=identity)
        metrics = work.beside.metrics(made.model)
        named = {"name": recipe.name, "description": recipe.description}
        work.write(output, made.model, {"recipe": named, "compression": made.records, "metrics": metrics})
    except BaseException:
        tidied(output, keep=there)
        raise
    shutil.rmtree(output / "work", ignore_errors=True)
    return read_config(output)


def _taken(work: _Work, before: _Made, step: Step, *, number: int, identity: str) -> _Made:
    """Take a step, or what it left earlier."""
    folder = work.output / "steps" / f"{number:02d}-{step.kind}"
    if (folder / "config.json").exists() and identity_of(config := read_config(folder)) == identity:
        return _Made(model=load_run(folder), records=tuple(config["compression"]))
    step.requires(before.model)
    scratch = work.output / "work" / f"{number:02d}-{identity[:12]}"
    given = work.given(before.model, folder=scratch, progress=work.steps(f"Step {number}, {step.form}"))
    for path in (scratch, given.caches):
        path.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    outcome = step.run(before.model, given)
    seconds = round(time.perf_counter() - started, 1)
    step.ensures(before.model, outcome.model)
    effect = work.beside.effect(outcome.model)
    done = {"seed": work.seed, "release": __version__, "identity": identity, "seconds": seconds}
    happened = dict(outcome.record)
    if effect.remarks():
        happened["remarks"] = [*happened.get("remarks", ()), *effect.remarks()]
    record = describe_step(step) | done | {"outcome": happened, "effect": effect.record()}
    work.write(folder, outcome.model, {"compression": (*before.records, record)})
    shutil.rmtree(scratch, ignore_errors=True)
    return _Made(model=load_run(folder), records=(*before.records, record))  # the model as the next run would find it
