"""What can be refused of a compression before any of it is done."""

from __future__ import annotations

__all__ = ["require_fitting", "require_possible", "split_of"]

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from edge_rec.compress.composition import check_composition
from edge_rec.compress.steps import describe_step
from edge_rec.models import fingerprint
from edge_rec.training import prepared
from edge_rec_runtime.errors import CompressionError, EdgeRecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_rec.compress.recipe import Recipe
    from edge_rec.compress.step import Given, Step
    from edge_rec.data import Dataset, Split
    from edge_rec.models import Model


def require_fitting(recipe: Recipe, model: Model, past: Sequence[Mapping[str, Any]], *, data: bool) -> None:
    """Refuse a recipe that cannot be followed from a model on.

    Args:
        recipe: What is asked for.
        model: The start.
        past: Records of the steps that the model has behind it.
        data: Whether there is a log to look at.

    Raises:
        CompressionError: It is for another model, its steps do not compose, or one of them looks at data and there are none.
        EdgeRecError: The first step cannot be taken.
    """
    if not recipe.steps:
        raise CompressionError("nothing to do: there is no step; give a recipe, or a step with --step")
    if recipe.model is not None and recipe.model != model.name:
        raise CompressionError(f"the recipe {recipe.name} is for {recipe.model}, and this is {model.name}; choose another recipe")
    if model.source().kind == "ranker":
        raise CompressionError(
            f"{model.name} is a ranker, and what a step costs is judged here by the first ten items of a catalogue, which no "
            "ranker of given candidates has; `edge-rec convert` makes it small, and says what AUC that costs"
        )
    check_composition([*past, *map(describe_step, recipe.steps)], done=len(past))
    recipe.steps[0].requires(model)
    if needing := [step.form for step in recipe.steps if step.needs_data and not data]:
        raise CompressionError(
            f"{needing[0]} looks at data, and none was given; name the log that the model was trained on with --dataset"
        )


def require_possible(steps: Sequence[Step], model: Model, given: Given) -> None:
    """Refuse a recipe in which a step cannot be taken, as far as that is known without training.

    Each step is asked about a model of the form that those before it leave; where that depends on what they learn, it is asked
    when its turn comes.

    Args:
        steps: The first can be taken.
        model: The start.
        given: Of the steps; its folders are not there yet.

    Raises:
        CompressionError: One of them cannot; the message says which.
    """
    known = model
    for number, (step, following) in enumerate(pairwise(steps), 1):
        try:
            left = step.outline(known, given)
        except EdgeRecError as error:
            raise CompressionError(f"step {number}, {step.form}: {error}") from error
        if left is None:
            return
        known = left
        try:
            following.requires(known)
        except EdgeRecError as error:
            raise CompressionError(f"step {number + 1}, {following.form}, after those before it: {error}") from error


def split_of(dataset: Dataset, config: Mapping[str, Any], model: Model) -> Split:
    """Return the log as the model was trained on it.

    Args:
        dataset: The log.
        config: The model's ``config.json``.
        model: The model.

    Raises:
        CompressionError: The log has other items, or it is not known how it was filtered.
    """
    data = config.get("dataset")
    core = data.get("core") if isinstance(data, dict) else None
    if type(core) is not int:
        raise CompressionError("config.json does not say how the log was filtered that the model was trained on; train it again")
    split, catalogue = prepared(dataset, core=core)
    if fingerprint(catalogue) != fingerprint(model.catalogue):
        raise CompressionError(
            f"{dataset.name} gives {len(catalogue)} items, the model has {len(model.catalogue)}, and their ids or order differ; "
            "give the log that it was trained on"
        )
    events = len(split.test_histories.items) + len(split.test)
    for name, count in (("users", len(split.test)), ("events", events)):
        if type(known := data.get(name)) is int and known != count:  # type: ignore[union-attr]  # a mapping, it has a core
            raise CompressionError(
                f"{dataset.name} gives {count:,} {name}, the model was trained on {known:,}; give the log that it was trained on"
            )
    return split
